"""Image probe: size, brightness and fingerprint of an image, or why it cannot be used."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from weld_pipeline.core.files import sha256_file
from weld_pipeline.media.fingerprints import image_scene
from weld_pipeline.media.images import ImageError, read_image
from weld_pipeline.media.probe import REC601, Probe, thumbnail

# Raise it when the same file would give another probe; stored probes are then computed again.
IMAGE_PROBE_VERSION = 1


def probe_image(path: Path, *, max_pixels: int, thumbnail_px: int) -> Probe:
    """Return what an image holds, or why it cannot be used; a bad file is a result, not an error.

    Width and height are those of the upright image.

    Args:
        path: The file; it must exist.
        thumbnail_px: Width of the thumbnail.
    """
    n_bytes = path.stat().st_size
    try:
        image = read_image(path, max_pixels=max_pixels)
    except ImageError as error:
        has_bytes = error.code not in ("empty", "unreadable")
        # Without the file's name: the manifest holds reasons, and no path of this machine.
        return Probe(f"{error.code}: {error.what}", n_bytes, sha256_file(path) if has_bytes else None)
    height, width = image.shape[:2]
    return Probe(
        problem=None,
        n_bytes=n_bytes,
        sha256=sha256_file(path),
        width=width,
        height=height,
        n_frames=1,
        mean_luma=_mean_luma(image),
        scene=image_scene(image),
        thumbnail=thumbnail(image, width_px=thumbnail_px),
    )


def _mean_luma(image: UInt8[np.ndarray, "H W 3"]) -> float:
    """Return the mean Rec. 601 luma [0..255], from the histogram: ten times as fast as numpy's mean over pixels."""
    counts = np.array(Image.fromarray(image).histogram()).reshape(3, -1)
    means = counts @ np.arange(counts.shape[1]) / counts[0].sum()
    return float(means @ REC601)
