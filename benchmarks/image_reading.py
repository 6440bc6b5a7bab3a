"""Image files to pixels: this project's one reader against OpenCV's, on the same bytes, one thread each.

Frames are drawn at the sizes of industrial cameras with some noise, and saved as JPEG (quality 90) and as grey PNG. Both sides
give RGB as uint8 [H, W, 3]; ours checks as well that the file holds one image, and turns it upright.
"""

import io
import statistics
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from benchmarks.common import Row, in_turns, main, row
from weld_pipeline.media.images import read_image_bytes

_JPEG = ((4000, 3000, 1 / 1.2), (2592, 1944, 1 / 1.2), (1280, 700, 1 / 1.2))
_PNG = ((1280, 700, 1 / 1.5),)


def compare(quick: bool) -> Sequence[Row]:
    """Return a row a size and format."""
    cv2.setNumThreads(1)
    repeats = 9 if quick else 31
    files = [(f"JPEG {w}×{h}", _encoded(w, h, "JPEG"), target) for w, h, target in _JPEG]
    files += [(f"grey PNG {w}×{h}", _encoded(w, h, "PNG"), target) for w, h, target in _PNG]
    return [_row(name, content, target, repeats) for name, content, target in files]


def _row(name: str, content: bytes, target: float, repeats: int) -> Row:
    encoded = np.frombuffer(content, np.uint8)
    ours, peer = in_turns(
        lambda: read_image_bytes(content, name), lambda: cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), repeats=repeats
    )
    return row(
        name,
        ours=1000 * statistics.median(ours),
        peer=1000 * statistics.median(peer),
        unit="ms",
        target=round(target, 3),
    )


def _encoded(width: int, height: int, form: str) -> bytes:
    generator = np.random.default_rng(0)
    coarse = Image.fromarray(generator.integers(0, 256, (height // 40, width // 40, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
    noisy = Image.fromarray((smooth + generator.integers(-6, 7, (height, width, 1))).clip(0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    noisy.convert("L" if form == "PNG" else "RGB").save(buffer, form, quality=90)
    return buffer.getvalue()


if __name__ == "__main__":
    main(__doc__.splitlines()[0] if __doc__ else "", compare)
