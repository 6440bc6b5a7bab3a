"""A heat map drawn over the picture it belongs to."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

_OPACITY = 0.55  # at full heat; where there is none the picture stays as it is


def overlay(image: UInt8[np.ndarray, "H W 3"], heat: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the picture with heat in colour over it, the stronger the more opaque.

    Args:
        image: RGB.
        heat: On [0, 1]; brought to the picture's size.
    """
    height, width = image.shape[:2]
    sized = cv2.resize(np.asarray(heat, np.float32), (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1)
    colour = cv2.applyColorMap(np.round(sized * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[:, :, ::-1]
    opacity = _OPACITY * sized[:, :, None]
    return np.round(image * (1 - opacity) + colour * opacity).astype(np.uint8)
