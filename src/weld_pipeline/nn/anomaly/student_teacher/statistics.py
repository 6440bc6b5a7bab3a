"""Statistics of a student–teacher detector over good images: channels of its teacher, quantiles of its maps."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.student_teacher.model import StudentTeacher
from weld_pipeline.nn.anomaly.student_teacher.quantiles import StreamQuantiles
from weld_pipeline.nn.device import find_device

_QUANTILES = (0.9, 0.995)  # §3.4


@torch.inference_mode()
def channel_statistics(
    describe: Callable[[Tensor], Tensor], images: Iterator[Float[Tensor, "B 3 S S"]]
) -> Float[Tensor, "2 C 1 1"]:
    """Return mean and standard deviation of each channel of a description [B, C, h, w], over all places of all images.

    The standard deviation of a constant channel is set to 1, so that it can be divided by.

    Raises:
        WeldError: If the teacher's output is no number.
    """
    moments = _ChannelMoments()
    for batch in images:
        moments.add(describe(batch).double())
    mean, variance = moments.mean_and_variance()
    if not (mean.isfinite().all() and variance.isfinite().all()):
        raise WeldError("teacher: its output is no number on some image of train; look at its weights and the images")
    std = variance.sqrt()
    std = torch.where(std > 1e-6 * mean.abs().clamp(min=1e-6), std, torch.ones_like(std))
    return torch.stack([mean, std]).float()[:, :, None, None]


@torch.inference_mode()
def map_quantiles(network: StudentTeacher, images: Iterator[Float[Tensor, "B 3 S S"]]) -> Float[Tensor, "2 2"]:
    """Return the quantiles 0.9 and 0.995 of both maps over all pixels of good images (§3.4).

    Raises:
        WeldError: If a map is no number, or is constant there.
    """
    network = network.to(find_device())
    counted = StreamQuantiles(), StreamQuantiles()
    for batch in images:
        for quantiles, maps in zip(counted, network.raw_maps(batch), strict=True):
            quantiles.add(maps.cpu().numpy())
    network.to("cpu")
    found = [quantiles.at(_QUANTILES) for quantiles in counted]
    for name, (low, high) in zip(("student's", "autoencoder's"), found, strict=True):
        if high <= low:
            raise WeldError(
                f"the {name} map of valid is {low:.3g} nearly everywhere: it cannot be scaled, and finds nothing; "
                "raise student.training.n_steps, or check whether every image is one flat colour"
            )
    return torch.tensor(found)


@torch.inference_mode()
def autoencoder_error(network: StudentTeacher, images: Iterator[Float[Tensor, "B 3 S S"]]) -> float:
    """Return the autoencoder's mean squared error over the variance of its target; the mean alone reaches 1.

    Raises:
        WeldError: If the teacher's output has no variance.
    """
    network = network.to(find_device())
    squared_error, moments = 0.0, _ChannelMoments()
    for batch in images:
        targets = network.targets(batch).double()
        squared_error += float((network.autoencoder(batch) - targets).square().sum())
        moments.add(targets)
    network.to("cpu")
    variance = float(moments.mean_and_variance()[1].sum())
    if not variance > 0:
        raise WeldError(
            "teacher: its output is the same at all places of all images of valid; check whether every image is one flat colour"
        )
    return squared_error / moments.count / variance


class _ChannelMoments:
    """Running mean and variance of each channel of maps."""

    def __init__(self) -> None:
        self.count, self._sums = 0, torch.zeros(2, 1, dtype=torch.float64)

    def add(self, maps: Float[Tensor, "B C h w"]) -> None:
        self.count += maps.shape[0] * maps.shape[2] * maps.shape[3]
        self._sums = self._sums + torch.stack([maps.sum(dim=(0, 2, 3)), maps.square().sum(dim=(0, 2, 3))]).cpu()

    def mean_and_variance(self) -> tuple[Float[Tensor, " C"], Float[Tensor, " C"]]:
        mean, of_squares = self._sums / self.count
        return mean, (of_squares - mean.square()).clamp(min=0)
