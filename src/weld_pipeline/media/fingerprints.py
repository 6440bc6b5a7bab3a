"""Fingerprints of recordings and images: they find the same weld again, also renamed or re-encoded.

Frames of two welds on one set-up look alike, so the scene alone proves nothing. The flicker of the arc from frame to
frame is chance, and no two welds share it. Two fingerprints match if the scenes look alike *and* the flicker agrees,
at some shift in time, far beyond chance. A single image has only its scene, so its hash is much finer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
from PIL import Image

from weld_pipeline.core.shapes import Float, Int, UInt8, UInt64

MAX_FLICKER_BITS = 384
# Bits of 64; unrelated images are 32 ± 4 apart. A real recording re-encoded at a third of its size, or cut to its second
# half, was 4 and 6 from the original. The flicker decides; the scene only has to be possible.
MAX_SCENE_BITS = 16
# Agreement beyond chance, in standard deviations. Seven leave 0.01 chance matches in the 8 million pairs of 4,040 runs
# at 767 shifts each; with it 49 common arc-on frames, a second and a half, are the least that can match at all.
MIN_FLICKER_Z = 7.0
# Bits of 256. Saved again as JPEG of quality 40 at a third of the size, 120 real TIG frames are at most 8 from themselves and
# 320 photos 6; the nearest two of 6,763 pairs of frames from different TIG runs are 36 apart, of 46,289 pairs of photos
# from different series 80. With 64 bits, frames of different runs are 0 apart. Noisy radiographs change more: half of 40
# stay within 9, so that a copy of one may be missed.
MAX_IMAGE_BITS = 12
_IMAGE_SIDE = 16  # 16 × 16 bits
_MIN_CONTRAST = 3  # pixel values; the hash of a flatter image is chance, or that of every other flat one
_WORD_BITS = 64
_BATCH_PAIRS = 2048
_BATCH_ROWS = 256


@dataclass(frozen=True)
class Fingerprint:
    """Scene and flicker of a recording's arc-on part.

    Attributes:
        scene: Perceptual hash (pHash, 64 bits) of the mean frame, 16 hex digits.
        flicker: `1` where a frame is brighter than the one before it, else `0`; from the first arc-on frame on.
    """

    scene: str
    flicker: str


def fingerprint(mean_frame: Float[np.ndarray, "H W"], lumas: Sequence[float]) -> Fingerprint:
    """Return the fingerprint of a recording.

    Args:
        mean_frame: Mean luma image over the arc-on frames [0..255].
        lumas: Mean luma of each arc-on frame in order; those after the first 385 are ignored.
    """
    scene = imagehash.phash(Image.fromarray(np.clip(mean_frame, 0, 255).astype(np.uint8)))
    rises = np.diff(np.asarray(lumas[: MAX_FLICKER_BITS + 1], dtype=float)) > 0
    return Fingerprint(str(scene), "".join("1" if rise else "0" for rise in rises))


def near_duplicates(fingerprints: Sequence[Fingerprint]) -> Int[np.ndarray, "P 2"]:
    """Return the pairs of positions, smaller first, whose recordings are the same weld.

    For unrelated recordings the sum of sign agreements over n common flicker bits has mean 0 and standard
    deviation √n. A pair matches if its best shift is at least `MIN_FLICKER_Z` of these beyond chance and its scenes are at
    most `MAX_SCENE_BITS` apart.
    """
    signs = np.zeros((len(fingerprints), MAX_FLICKER_BITS), dtype=np.float32)  # 0 beyond a recording's end
    for row, mark in enumerate(fingerprints):
        signs[row, : len(mark.flicker)] = [1.0 if bit == "1" else -1.0 for bit in mark.flicker]
    # Cross-correlation gives the agreement at all shifts at once; zero-padded, so that a shift does not wrap around.
    n_shifts = 2 * MAX_FLICKER_BITS
    spectrum = np.fft.rfft(signs, n=n_shifts, axis=1)
    presence = np.fft.rfft(np.abs(signs), n=n_shifts, axis=1)
    matches = [np.empty((0, 2), dtype=np.int64)]
    for alike in _alike([mark.scene for mark in fingerprints], max_bits=MAX_SCENE_BITS):
        for pairs in np.array_split(alike, np.arange(_BATCH_PAIRS, len(alike), _BATCH_PAIRS)):
            first, second = pairs.T
            agreement = np.fft.irfft(spectrum[first] * spectrum[second].conj(), n=n_shifts, axis=1)  # [P, shift]
            n_common = np.fft.irfft(presence[first] * presence[second].conj(), n=n_shifts, axis=1)
            is_near = agreement >= MIN_FLICKER_Z * np.sqrt(np.maximum(n_common, 1.0))
            matches.append(pairs[is_near.any(axis=1)])
    return np.concatenate(matches)


def image_scene(image: UInt8[np.ndarray, "H W 3"]) -> str | None:
    """Return the perceptual hash (pHash, 256 bits) of an image, 64 hex digits; None for one without contrast."""
    grey = Image.fromarray(image).convert("L")
    coarse = np.asarray(grey.reduce(max(1, min(grey.size) // _IMAGE_SIDE)))
    is_flat = int(coarse.max()) - int(coarse.min()) < _MIN_CONTRAST
    return None if is_flat else str(imagehash.phash(grey, hash_size=_IMAGE_SIDE))


def near_duplicate_images(scenes: Sequence[str], sessions: Sequence[str]) -> Int[np.ndarray, "P 2"]:
    """Return pairs of positions, smaller first, whose images are copies of each other in different sessions.

    Images of one session are alike by nature and stay together anyway. Of several copies of an image in one other
    session only the nearest is returned, so there are never more pairs than images times sessions.
    """
    _, session_of = np.unique(np.asarray(sessions, dtype=str), return_inverse=True)
    words = _words(scenes)
    matches = [np.empty((0, 2), dtype=np.int64)]
    for pairs in _alike(scenes, max_bits=MAX_IMAGE_BITS):
        first, second = pairs[session_of[pairs[:, 0]] != session_of[pairs[:, 1]]].T
        nearest = np.argsort(np.bitwise_count(words[first] ^ words[second]).sum(axis=1), kind="stable")
        first, second = first[nearest], second[nearest]
        _, one_each = np.unique(np.stack([first, session_of[second]]), axis=1, return_index=True)
        matches.append(np.stack([first, second], axis=1)[one_each])
    return np.concatenate(matches)


def _words(scenes: Sequence[str]) -> UInt64[np.ndarray, "N W"]:
    """Return hashes of equal length as 64-bit words."""
    n_digits = len(scenes[0]) if scenes else _WORD_BITS // 4
    flat = np.frombuffer(bytes.fromhex("".join(scenes)), dtype=">u8")
    return flat.astype(np.uint64).reshape(len(scenes), n_digits * 4 // _WORD_BITS)


def _alike(scenes: Sequence[str], *, max_bits: int) -> Iterator[Int[np.ndarray, "P 2"]]:
    """Yield pairs of positions, smaller first, whose hashes differ in at most `max_bits` bits, in batches of rows."""
    words = _words(scenes)
    for start in range(0, len(words), _BATCH_ROWS):
        apart = np.zeros((len(words[start : start + _BATCH_ROWS]), len(words)), dtype=np.uint16)
        for column in words.T:  # word by word: all at once would take four times the memory
            apart += np.bitwise_count(column[start : start + _BATCH_ROWS, None] ^ column[None, :])
        first, second = np.nonzero(apart <= max_bits)
        yield np.stack([first + start, second], axis=1)[first + start < second]
