"""Image files read and prepared ahead of the network, in order and in bounded memory."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.shapes import UInt8
from weld_pipeline.media.image_errors import MAX_PIXELS
from weld_pipeline.media.images import DecodedImage, decode_image, read_content
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
class Preparation:
    """How an image becomes what a graph is fed.

    Attributes:
        fed: Returns it for upright RGB pixels.
        keeps_pixels: Whether the pixels are needed when the graph has answered.
        max_pixels: Larger images are refused before they are decoded.
        sample_bits: Bits of the samples of 16-bit images whose files do not say; see `media.images.read_image`.
        jpeg_px: Size that JPEGs may be decoded near; see there.
    """

    fed: Callable[[UInt8[np.ndarray, "H W 3"]], UInt8[np.ndarray, "T h w C"]]
    keeps_pixels: bool
    max_pixels: int = MAX_PIXELS
    sample_bits: int | None = None
    jpeg_px: int | None = None


@dataclass(frozen=True)
class ReadImage:
    """A decoded image.

    Attributes:
        path: As it was given; None for an array.
        sha256: Of the bytes of the file; None for an array.
        height: Height of the upright image [px].
        width: Width of the upright image [px].
        fed: What the graph is fed: the image, or tiles of it.
        pixels: RGB, upright; None where nobody needs them.
        decode_s: Reading, decoding and preparing it took [s].
        hash_s: Hashing took beyond that [s].
        warnings: What is doubtful about its pixel values.
    """

    path: str | None
    sha256: str | None
    height: int
    width: int
    fed: UInt8[np.ndarray, "T h w C"]
    pixels: UInt8[np.ndarray, "H W 3"] | None
    decode_s: float
    hash_s: float
    warnings: tuple[str, ...] = ()


def read(source: Path | str | ImageBytes | np.ndarray, preparation: Preparation) -> ReadImage:
    """Return an image, prepared for a graph, with the hash of the very bytes that were decoded; both are made at the same time.

    Args:
        source: A file, the bytes of one, or upright RGB pixels as uint8 [H, W, 3].

    Raises:
        WeldError: If it cannot be used; see `media.images.read_image`.
    """
    began = time.perf_counter()
    if isinstance(source, np.ndarray):
        pixels = _checked_pixels(source)
        return _prepared(None, DecodedImage(pixels, *pixels.shape[:2]), preparation, began=began)
    max_pixels = preparation.max_pixels
    if isinstance(source, ImageBytes):
        name, content = source.name, source.content
    else:
        name, content = str(source), read_content(Path(source), max_pixels=max_pixels)
    with ThreadPoolExecutor(1, thread_name_prefix="image-hash") as pool:
        digest = pool.submit(sha256, content)
        decoded = decode_image(
            content, name, max_pixels=max_pixels, sample_bits=preparation.sample_bits, jpeg_px=preparation.jpeg_px
        )
        found = _prepared(name, decoded, preparation, began=began)
        hexdigest = digest.result().hexdigest()
    return replace(found, sha256=hexdigest, hash_s=time.perf_counter() - began - found.decode_s)


def _prepared(name: str | None, decoded: DecodedImage, preparation: Preparation, *, began: float) -> ReadImage:
    fed, kept = preparation.fed(decoded.pixels), decoded.pixels if preparation.keeps_pixels else None
    return ReadImage(
        path=name,
        sha256=None,
        height=decoded.height,
        width=decoded.width,
        fed=fed,
        pixels=kept,
        decode_s=time.perf_counter() - began,
        hash_s=0.0,
        warnings=decoded.warnings,
    )


def _checked_pixels(image: np.ndarray) -> UInt8[np.ndarray, "H W 3"]:
    # The graph would take no other, but say so in words of its own.
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:  # noqa: PLR2004
        raise WeldError(
            f"image: an array of {image.dtype} with shape {image.shape}, expected RGB pixels as uint8 "
            "[height, width, 3]; give the file itself, or convert it"
        )
    return image


def read_ahead(
    sources: Iterable[Path | ImageBytes | NotInspected], preparation: Preparation
) -> Iterator[list[ReadImage | NotInspected]]:
    """Yield images in chunks, in order; the next chunk is decoded and prepared while the caller works on one.

    At most two chunks of pixels are held, so memory does not grow with the number of images. An image that cannot
    be used is an entry that says why.
    """
    chunks = _chunks(iter(sources))
    with ThreadPoolExecutor(_N_DECODERS, thread_name_prefix="image-reader") as pool:
        following = _submit(pool, next(chunks, []), preparation)
        while following:
            current, following = following, _submit(pool, next(chunks, []), preparation)
            yield [future.result() for future in current]


def _submit(
    pool: ThreadPoolExecutor, chunk: list[Path | ImageBytes | NotInspected], preparation: Preparation
) -> list["Future[ReadImage | NotInspected]"]:
    return [pool.submit(_read_or_say_why, source, preparation) for source in chunk]


def _read_or_say_why(source: Path | ImageBytes | NotInspected, preparation: Preparation) -> ReadImage | NotInspected:
    if isinstance(source, NotInspected):
        return source
    try:
        return read(source, preparation)
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
