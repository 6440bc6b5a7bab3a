"""Which recordings show the same weld: fingerprints that survive renaming, re-encoding and cutting.

Frames of two welds on one set-up look alike, so the scene alone proves nothing. How the arc flickers from frame to
frame is chance, and no two welds share it: two fingerprints match if the scenes look alike *and* the flicker agrees,
at some shift in time, far beyond chance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
from jaxtyping import Float, Int
from PIL import Image

MAX_FLICKER_BITS = 384
# Of 64; unrelated pictures are 32 ± 4 apart. A real recording re-encoded at a third of its size, or cut to its second
# half, was 4 and 6 from the original. The flicker decides, the scene only has to be possible.
MAX_SCENE_BITS = 16
# Agreement beyond chance, in standard deviations. Seven leave 0.01 chance matches in the 8 million pairs of 4,040 runs
# at 767 shifts each; with it 49 common arc-on frames, a second and a half, are the least that can match at all.
MIN_FLICKER_Z = 7.0
_BATCH_PAIRS = 2048
_BATCH_ROWS = 256


@dataclass(frozen=True)
class Fingerprint:
    """What is remembered of a recording's arc-on part.

    Attributes:
        scene: Perceptual hash (pHash, 64 bits) of the mean frame, 16 hex digits.
        flicker: `1` where a frame is brighter than the one before it, else `0`; from the first arc-on frame on.
    """

    scene: str
    flicker: str


def fingerprint(mean_frame: Float[np.ndarray, "H W"], lumas: Sequence[float]) -> Fingerprint:
    """Return the fingerprint of a recording.

    Args:
        mean_frame: Mean luma picture over the arc-on frames [0..255].
        lumas: Mean luma of each arc-on frame in order; those after the first 385 are ignored.
    """
    scene = imagehash.phash(Image.fromarray(np.clip(mean_frame, 0, 255).astype(np.uint8)))
    rises = np.diff(np.asarray(lumas[: MAX_FLICKER_BITS + 1], dtype=float)) > 0
    return Fingerprint(str(scene), "".join("1" if rise else "0" for rise in rises))


def near_duplicates(fingerprints: Sequence[Fingerprint]) -> Int[np.ndarray, "P 2"]:
    """Return the pairs of positions, smaller first, whose recordings are the same weld.

    For unrelated recordings the sum of sign agreements over n common flicker bits has mean 0 and deviation √n;
    a pair matches from `MIN_FLICKER_Z` deviations on at its best shift, with scenes at most `MAX_SCENE_BITS` apart.
    """
    signs = np.zeros((len(fingerprints), MAX_FLICKER_BITS), dtype=np.float32)  # 0 beyond a recording's end
    for row, mark in enumerate(fingerprints):
        signs[row, : len(mark.flicker)] = [1.0 if bit == "1" else -1.0 for bit in mark.flicker]
    # Cross-correlation gives the agreement at all shifts at once; zero-padded, so that a shift does not wrap around.
    n_shifts = 2 * MAX_FLICKER_BITS
    spectrum = np.fft.rfft(signs, n=n_shifts, axis=1)
    presence = np.fft.rfft(np.abs(signs), n=n_shifts, axis=1)
    found = [np.empty((0, 2), dtype=np.int64)]
    for pairs in _alike_scenes(fingerprints):
        first, second = pairs.T
        agreement = np.fft.irfft(spectrum[first] * spectrum[second].conj(), n=n_shifts, axis=1)  # [P, shift]
        n_common = np.fft.irfft(presence[first] * presence[second].conj(), n=n_shifts, axis=1)
        is_near = agreement >= MIN_FLICKER_Z * np.sqrt(np.maximum(n_common, 1.0))
        found.append(pairs[is_near.any(axis=1)])
    return np.concatenate(found)


def _alike_scenes(fingerprints: Sequence[Fingerprint]) -> Iterator[Int[np.ndarray, "P 2"]]:
    """Yield batches of pairs whose scenes are near."""
    scenes = np.array([int(mark.scene, 16) for mark in fingerprints], dtype=np.uint64)
    for start in range(0, len(scenes), _BATCH_ROWS):
        apart = np.bitwise_count(scenes[start : start + _BATCH_ROWS, None] ^ scenes[None, :])
        first, second = np.nonzero(apart <= MAX_SCENE_BITS)
        pairs = np.stack([first + start, second], axis=1)[first + start < second]
        yield from np.array_split(pairs, np.arange(_BATCH_PAIRS, len(pairs), _BATCH_PAIRS))
