"""Relief: surfaces as heights, and their look in the light; grain, ripples and lumps need no colours of their own."""

import cv2
import numpy as np
from jaxtyping import Float

Field = Float[np.ndarray, "H W"]


def clouds(shape: tuple[int, int], *, size: tuple[float, float], rng: np.random.Generator) -> Field:
    """Return smooth noise around 0 of standard deviation 1.

    Args:
        shape: Height and width [px].
        size: Width and height of its blobs [px]; 1 is white noise.
    """
    h, w = shape
    coarse = (min(h, max(4, round(h / size[1]) + 2)), min(w, max(4, round(w / size[0]) + 2)))
    noise = rng.standard_normal(coarse, dtype=np.float32)
    if coarse != shape:
        noise = np.asarray(cv2.resize(noise, (w, h), interpolation=cv2.INTER_CUBIC), np.float32)
    return noise / noise.std()


def shaded(
    height: Field, *, light: tuple[float, float, float], scale: float, polish: float
) -> tuple[Field, Field, Field]:
    """Return how squarely each place faces a lamp, how much of the lamp it mirrors to a camera above, and its distance.

    Facing is Lambert's cosine, 0..1; the mirrored part is Blinn's, the cosine of normal and half vector to the power
    `polish`, 0..1 (Blinn 1977, "Models of light reflection", section 4).

    Args:
        height: Height of the surface [reference px].
        light: Place of the lamp: right, down, up [reference px].
        scale: Pixels per reference pixel.
        polish: Sharpness of the mirror image; 5 is dull, 60 wet.
    """
    h, w = height.shape
    x = (np.arange(w, dtype=np.float32) + 0.5) / np.float32(scale)
    y = ((np.arange(h, dtype=np.float32) + 0.5) / np.float32(scale))[:, None]
    slope_x, slope_y = (cv2.Sobel(height, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=scale / 8) for dx in (1, 0))
    normal = np.sqrt(1 + slope_x**2 + slope_y**2)
    to_x, to_y, to_z = np.float32(light[0]) - x, np.float32(light[1]) - y, np.float32(light[2])
    distance = np.sqrt(to_x**2 + to_y**2 + to_z**2)
    lean = to_z - slope_x * to_x - slope_y * to_y
    facing = np.clip(lean / (distance * normal), 0, 1)
    # The camera looks straight down, so the half vector is the direction of the lamp plus one upward.
    half = np.sqrt(2 * (1 + to_z / distance))
    mirrored = np.clip((lean / distance + 1) / (half * normal), 0, 1) ** np.float32(polish)
    return facing, mirrored, distance
