"""A heat map drawn over the picture it belongs to."""

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

_OPACITY = 0.55  # at full heat; where there is none the picture stays as it is
# matplotlib's inferno at every twelfth: dark to bright, so that it reads in grey and to the colour-blind.
_INFERNO = np.array(
    [(0, 0, 4), (17, 10, 48), (50, 10, 94), (87, 16, 110), (120, 28, 109), (154, 40, 101), (188, 55, 84), (216, 76, 62),
     (237, 105, 37), (249, 142, 9), (251, 182, 26), (244, 223, 83), (252, 255, 164)]
)  # fmt: skip
_LEVELS = np.linspace(0, 255, len(_INFERNO))
_COLOURS = np.stack([np.interp(np.arange(256), _LEVELS, channel) for channel in _INFERNO.T], axis=1).astype(np.float32)


def overlay(image: UInt8[np.ndarray, "H W 3"], heat: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the picture with heat in colour over it, the stronger the more opaque.

    Args:
        image: RGB.
        heat: On [0, 1]; brought to the picture's size.
    """
    sized = resize_map(heat, height=image.shape[0], width=image.shape[1]).clip(0, 1)
    opacity = _OPACITY * sized[:, :, None]
    return np.round(image * (1 - opacity) + heat_colours(sized) * opacity).astype(np.uint8)


def heat_colours(heat: Float[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return heat on [0, 1] in colour: black over violet and orange to light yellow."""
    return np.round(_COLOURS[np.round(heat.clip(0, 1) * 255).astype(np.uint8)]).astype(np.uint8)


def resize_map(values: Float[np.ndarray, "h w"], *, height: int, width: int) -> Float[np.ndarray, "H W"]:
    """Return a map at another size, as float32: bilinear between pixel centres, averaged where it becomes smaller."""
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
