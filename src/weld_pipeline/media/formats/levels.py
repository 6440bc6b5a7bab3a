"""Levels: samples of up to 16 bits as pixel values of 8 bits, white as 255."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from weld_pipeline.core.shapes import UInt8, UInt16
from weld_pipeline.media.image_errors import ImageError

_CONTAINER_BITS = (15, 16)  # signed, unsigned
# Widths that sensors have, and that files of 16 bits hide when nobody declares them.
_SENSOR_BITS = (8, 10, 12, 14)
# EXIF 2.3, table 4: how an upright image is made from the stored one.
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}


@dataclass(frozen=True)
class Samples:
    """Samples as a file holds them, upright.

    Attributes:
        values: Grey [H, W] or RGB [H, W, 3].
        bits: Width of a sample; the largest one is white, unless something says otherwise.
        white: White as the file declares it; None where it declares none.
        is_inverted: Whether 0 is white.
    """

    values: UInt16[np.ndarray, "H W *C"]
    bits: int
    white: int | None = None
    is_inverted: bool = False


def turned(values: np.ndarray, orientation: int) -> np.ndarray:
    """Return stored pixels [H, W, …] upright, as a tag of orientation says; an unknown one says nothing."""
    return _TURNS.get(orientation, np.asarray)(values)


def eight_bit(samples: Samples, name: str, *, stated_bits: int | None) -> tuple[UInt8[np.ndarray, "H W *C"], list[str]]:
    """Return samples in 8 bits, rounded, and what is doubtful about them.

    Args:
        name: Name in errors.
        stated_bits: Width that samples of 16 bits truly have where their file declares none.

    Raises:
        ImageError: If a value does not fit the stated width.
    """
    highest = int(samples.values.max(initial=0))
    full = (1 << samples.bits) - 1
    warnings: list[str] = []
    if samples.white is not None and highest <= samples.white:
        white = samples.white
    elif samples.bits in _CONTAINER_BITS and samples.white is None and stated_bits is not None:
        white = _stated_white(highest, stated_bits, name)
    else:
        white = full
        warnings = _doubts(samples, highest)
    values = np.arange(1 << samples.bits, dtype=np.uint32).clip(max=white)
    table = (((white - values if samples.is_inverted else values) * 255 + white // 2) // white).astype(np.uint8)
    return table[samples.values], warnings


def _stated_white(highest: int, stated_bits: int, name: str) -> int:
    white = (1 << stated_bits) - 1
    if highest > white:
        what = f"pixel values reach {highest}, more than the {white} of {stated_bits} bits; mend sample_bits"
        raise ImageError("sample_bits", name, what)
    return white


def _doubts(samples: Samples, highest: int) -> list[str]:
    """Return whether samples of 16 bits look like fewer: all are low, and not by having been shifted up."""
    if samples.bits not in _CONTAINER_BITS or samples.white is not None or not highest:
        return []
    bits = next((bits for bits in _SENSOR_BITS if highest < 1 << bits), None)
    if bits is None or is_scaled_up(samples.values, bits):
        return []
    full = (1 << samples.bits) - 1
    what = (
        f"low_values: pixel values reach {highest} of {full}, so {bits} bits hold them, and black is seen where grey is"
    )
    return [f"{what}; if {bits} bits are the camera's, state them with probe.sample_bits"]


def is_scaled_up(values: UInt16[np.ndarray, "..."], bits: int) -> bool:
    """Return whether low samples of 16 bits are ones of fewer bits that were scaled up, as PNG asks for.

    Scaling shifts up by the missing bits, and may repeat the high bits in the low ones, which are 0 in all dark samples.
    So where every sample fits `bits` and is a multiple of the shift, the image was scaled up and is dark; samples of a
    sensor that were never scaled are odd and even alike.
    """
    return not (values & ((1 << (max(_CONTAINER_BITS) - bits)) - 1)).any()
