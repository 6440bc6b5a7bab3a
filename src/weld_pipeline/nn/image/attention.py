"""Attention maps: where a network looked when it chose a class."""

from typing import Any

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.image.classifier import ImageClassifier

_MAP_DIMS = 4  # [B, C, h, w]


def heat_maps(
    classifier: ImageClassifier, crops: UInt8[Tensor, "B S S C"]
) -> tuple[Float[np.ndarray, "B S S"], Int[np.ndarray, " B"]]:
    """Return the evidence of each place for the predicted class of each crop, and that class.

    Grad-CAM (Selvaraju et al. 2017, section 3) on the trunk's last feature map, computed by captum and resized to the
    crop. Values lie in [0, 1]; the strongest place of each crop is 1. A crop without evidence is 0 throughout.

    Raises:
        WeldError: If the trunk's last features are no map, as in a vision transformer.
    """
    images = classifier.preprocess.normalise(crops)
    layer = _last_map(classifier, images[:1])
    with torch.inference_mode():
        predicted = classifier(images).argmax(dim=1)
    # The weights are frozen, so the image must require the gradient.
    cam = LayerGradCam(classifier, layer).attribute(
        images.requires_grad_(), target=predicted.clone(), relu_attributions=True
    )
    heat = LayerAttribution.interpolate(cam, tuple(crops.shape[1:3]), "bilinear")[:, 0].detach()
    peak = heat.amax(dim=(1, 2), keepdim=True)
    return torch.where(peak > 0, heat / peak.clamp(min=torch.finfo().tiny), 0.0).numpy(), predicted.numpy()


def _last_map(classifier: ImageClassifier, image: Float[Tensor, "1 3 S S"]) -> nn.Module:
    body: Any = classifier.trunk.body
    name = classifier.architecture["trunk"]["name"]
    modules = [info["module"] for info in getattr(body, "feature_info", ())]
    if not modules:
        raise WeldError(f"trunk {name}: timm does not name the layer of its last feature map; leave out the heat maps")
    layer: nn.Module = body.get_submodule(modules[-1])
    seen: list[tuple[int, ...]] = []
    hook = layer.register_forward_hook(lambda _module, _inputs, output: seen.append(tuple(output.shape)))
    with hook, torch.inference_mode():
        classifier(image)
    is_channels_last = getattr(body, "output_fmt", "NCHW") != "NCHW"
    if not seen or len(seen[0]) != _MAP_DIMS or is_channels_last:
        raise WeldError(
            f"trunk {name}: its last features ({modules[-1]}) are no map of channels first; heat maps need a convolutional trunk"
        )
    return layer
