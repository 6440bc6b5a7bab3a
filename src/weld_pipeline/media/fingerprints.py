"""Which recordings show the same weld: fingerprints that survive renaming, re-encoding and a cut lead-in.

Frames of two welds on one set-up look alike, so the scene alone proves nothing. How the arc flickers from frame to
frame is chance, and no two welds share it: two fingerprints match if the scenes look alike *and* the flicker agrees
far beyond chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
from jaxtyping import Float, Int
from PIL import Image

MAX_FLICKER_BITS = 192
# imagehash's own rule of thumb for pictures of the same thing.
MAX_SCENE_BITS = 10
# Agreement beyond chance, in standard deviations. Six leave 0.01 chance matches in the 8 million pairs of 4,040 runs;
# with it 36 arc-on frames, a little over a second, are the least that can match at all.
MIN_FLICKER_Z = 6.0
_BLOCK_ROWS = 512


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
        lumas: Mean luma of each arc-on frame in order; those after the first 193 are ignored.
    """
    scene = imagehash.phash(Image.fromarray(np.clip(mean_frame, 0, 255).astype(np.uint8)))
    rises = np.diff(np.asarray(lumas[: MAX_FLICKER_BITS + 1], dtype=float)) > 0
    return Fingerprint(str(scene), "".join("1" if rise else "0" for rise in rises))


def near_duplicates(fingerprints: Sequence[Fingerprint]) -> Int[np.ndarray, "P 2"]:
    """Return the pairs of positions, smaller first, whose recordings are the same weld.

    For unrelated recordings the sum of sign agreements over n common flicker bits has mean 0 and deviation √n;
    a pair matches from `MIN_FLICKER_Z` deviations on, with scenes at most `MAX_SCENE_BITS` apart.
    All pairs are compared at once by a matrix product, block by block: seconds for thousands.
    """
    n = len(fingerprints)
    scenes = np.array([int(mark.scene, 16) for mark in fingerprints], dtype=np.uint64)
    signs = np.zeros((n, MAX_FLICKER_BITS), dtype=np.float32)  # 0 beyond a recording's end
    for row, mark in enumerate(fingerprints):
        signs[row, : len(mark.flicker)] = [1.0 if bit == "1" else -1.0 for bit in mark.flicker]
    lengths = np.array([len(mark.flicker) for mark in fingerprints])
    found = []
    for start in range(0, n, _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        agreement = signs[block] @ signs.T  # [block, N]
        common = np.minimum(lengths[block, None], lengths[None, :])
        is_near = (agreement >= MIN_FLICKER_Z * np.sqrt(common)) & (common > 0)
        is_near &= np.bitwise_count(scenes[block, None] ^ scenes[None, :]) <= MAX_SCENE_BITS
        rows, columns = np.nonzero(is_near)
        pairs = np.stack([rows + start, columns], axis=1)
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found).astype(np.int64) if found else np.empty((0, 2), dtype=np.int64)
