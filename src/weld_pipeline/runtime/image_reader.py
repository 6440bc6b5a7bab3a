"""Image files read ahead of the network, in order and in bounded memory."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.media.images import read_image, read_image_bytes
from weld_pipeline.runtime.verdicts import NotInspected

_N_DECODERS = 4
# A chunk goes to the network while the next one is decoded. Larger ones gain nothing on a processor.
_MAX_IMAGES = 16
_MAX_PIXELS = 16_000_000


@dataclass(frozen=True)
class ImageBytes:
    """An image that is in memory already, as it would be in a file.

    Attributes:
        name: What verdicts and errors call it.
        content: The bytes of the file.
    """

    name: str
    content: bytes


@dataclass(frozen=True)
class ReadImage:
    """A decoded image.

    Attributes:
        path: As it was given; None for an array.
        sha256: Of the bytes of the file; None for an array.
        pixels: RGB, upright.
        decode_s: Reading and decoding it took [s].
        hash_s: Hashing it took [s].
    """

    path: str | None
    sha256: str | None
    pixels: UInt8[np.ndarray, "H W 3"]
    decode_s: float
    hash_s: float


def read(source: Path | str | ImageBytes | np.ndarray) -> ReadImage:
    """Return an image with the hash of its bytes.

    Args:
        source: A file, the bytes of one, or upright RGB pixels as uint8 [H, W, 3].

    Raises:
        WeldError: If it cannot be used; see `media.images.read_image`.
    """
    if isinstance(source, np.ndarray):
        return ReadImage(None, None, _checked_pixels(source), 0.0, 0.0)
    began = time.perf_counter()
    if isinstance(source, ImageBytes):
        name, pixels = source.name, read_image_bytes(source.content, source.name)
        decoded = time.perf_counter()
        digest = sha256(source.content).hexdigest()
    else:
        name, pixels = str(source), read_image(Path(source))
        decoded = time.perf_counter()
        digest = sha256_file(Path(source))
    return ReadImage(name, digest, pixels, decoded - began, time.perf_counter() - decoded)


def _checked_pixels(image: np.ndarray) -> UInt8[np.ndarray, "H W 3"]:
    # The graph would take no other, but say so in words of its own.
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:  # noqa: PLR2004
        raise WeldError(
            f"image: an array of {image.dtype} with shape {image.shape}, expected RGB pixels as uint8 "
            "[height, width, 3]; give the file itself, or convert it"
        )
    return image


def read_ahead(sources: Iterable[Path | ImageBytes | NotInspected]) -> Iterator[list[ReadImage | NotInspected]]:
    """Yield images in chunks, in order; the next chunk is decoded while the caller works on one.

    At most two chunks of pixels are held, so memory does not grow with the number of images. An image that cannot
    be used is an entry that says why.
    """
    chunks = _chunks(iter(sources))
    with ThreadPoolExecutor(_N_DECODERS, thread_name_prefix="image-reader") as pool:
        following = _submit(pool, next(chunks, []))
        while following:
            current, following = following, _submit(pool, next(chunks, []))
            yield [future.result() for future in current]


def _submit(
    pool: ThreadPoolExecutor, chunk: list[Path | ImageBytes | NotInspected]
) -> list["Future[ReadImage | NotInspected]"]:
    return [pool.submit(_read_or_say_why, source) for source in chunk]


def _read_or_say_why(source: Path | ImageBytes | NotInspected) -> ReadImage | NotInspected:
    if isinstance(source, NotInspected):
        return source
    try:
        return read(source)
    except WeldError as error:
        return NotInspected(source.name if isinstance(source, ImageBytes) else str(source), str(error))


def _chunks(
    sources: Iterator[Path | ImageBytes | NotInspected],
) -> Iterator[list[Path | ImageBytes | NotInspected]]:
    """Yield as many sources at a time as may lie in memory decoded; a larger image comes alone."""
    chunk: list[Path | ImageBytes | NotInspected] = []
    n_pixels = 0
    for source in sources:
        size = _n_pixels(source)
        if chunk and (len(chunk) == _MAX_IMAGES or n_pixels + size > _MAX_PIXELS):
            yield chunk
            chunk, n_pixels = [], 0
        chunk.append(source)
        n_pixels += size
    if chunk:
        yield chunk


def _n_pixels(source: Path | ImageBytes | NotInspected) -> int:
    """Return the size an image's header tells; 0 where it tells none, for such an image fills no memory either."""
    if not isinstance(source, Path):
        return 0
    try:
        with Image.open(source) as image:
            return image.width * image.height
    except Exception:  # noqa: BLE001 - reading it in earnest meets the same trouble and says what it is
        return 0
