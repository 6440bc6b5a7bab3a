"""Image errors: why an image cannot be used, and what its decoders raise."""

import struct
import zlib
from typing import Literal

from weld_pipeline.core.errors import UnusableFileError

# Checked before anything is decoded: an image of 300 kB may hold gigabytes of one colour.
MAX_PIXELS = 50_000_000
# Pillow refuses any above 179 million itself. For images that a probe has passed, whatever limit it was given.
MAX_PROBED_PIXELS = 178_000_000
# Exceptions of Pillow's decoders on broken bytes, seen by cutting and garbling files of every format.
DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip

Code = Literal[
    "missing", "empty", "unreadable", "not_an_image", "too_large", "unsupported", "several_images", "sample_bits",
    "truncated", "damaged",
]  # fmt: skip


class ImageError(UnusableFileError[Code]):
    """An image that cannot be used."""

    THING = "image"


def check_size(width: int, height: int, name: str, *, max_pixels: int) -> None:
    """Refuse an image of more pixels than allowed; called with what the header says.

    Raises:
        ImageError: If it is larger.
    """
    if width * height > max_pixels:
        size = f"{width}×{height} px are more than the {max_pixels:,} allowed"
        raise ImageError("too_large", name, f"{size}; cut it up, or raise max_pixels")


def several_images(name: str, n: int, what: str) -> ImageError:
    """Return the refusal of a file of several images: one verdict cannot be on all of them.

    Args:
        what: What they are called there, as in `pages`.
    """
    return ImageError("several_images", name, f"holds {n} {what}, and a verdict is on one; save each as its own file")
