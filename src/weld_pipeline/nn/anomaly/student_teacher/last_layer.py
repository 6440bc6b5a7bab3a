"""Last convolution of a patch network, solved by least squares."""

from collections.abc import Iterable

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from weld_pipeline.nn.anomaly.student_teacher.pdn import PatchNetwork

# Places used of each image. Neighbouring places see nearly the same, so more images tell more than more places.
_PLACES = 256
_RIDGE = 1e-4  # share of the mean square of the inputs


@torch.inference_mode()
def least_squares_layer(
    network: PatchNetwork,
    examples: Iterable[tuple[Float[Tensor, "B 3 S S"], Float[Tensor, "B C h w"]]],
    *,
    seed: int,
) -> tuple[Float[Tensor, "C D k k"], Float[Tensor, " C"]]:
    """Return weight and bias of the last convolution that bring a patch network closest to its targets.

    With the earlier layers fixed, the mean squared error is a quadratic function of the last convolution. One system of
    linear equations gives its minimum, which takes thousands of gradient steps. A small ridge keeps the system solvable
    for few images. Memory does not grow with the number of examples.

    Args:
        network: Network of one part; only the layers before this part are used.
    """
    (part,) = network.parts
    assert isinstance(part, nn.Conv2d)
    side = part.kernel_size[0]
    generator = torch.Generator().manual_seed(seed)
    n_inputs = part.in_channels * side**2 + 1
    products = torch.zeros(n_inputs, n_inputs + part.out_channels, dtype=torch.float64, device=part.weight.device)
    for images, targets in examples:
        windows = network.body(images).unfold(2, side, 1).unfold(3, side, 1)  # [B, D, h, w, k, k], a view
        places = torch.randperm(targets[0, 0].numel(), generator=generator)[:_PLACES].to(targets.device)
        down, right = places // targets.shape[3], places % targets.shape[3]
        inputs = rearrange(windows[:, :, down, right], "b d n y x -> (b n) (d y x)")
        inputs = torch.cat([inputs, inputs.new_ones(len(inputs), 1)], dim=1)
        outputs = rearrange(targets[:, :, down, right], "b c n -> (b n) c")
        products += inputs.T @ torch.cat([inputs, outputs], dim=1)
    squares, crossed = products[:, :n_inputs], products[:, n_inputs:]
    ridge = _RIDGE * squares.diagonal().mean()
    found = torch.linalg.solve(squares + ridge * torch.eye(n_inputs, device=products.device), crossed).float()
    return rearrange(found[:-1], "(d y x) c -> c d y x", y=side, x=side).contiguous(), found[-1].contiguous()
