"""Where a map is above a threshold: its connected places as boxes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

# A map that is all over the threshold in specks would fill a page; the highest peaks are what to look at.
_MAX_REGIONS = 20


@dataclass(frozen=True)
class Region:
    """A connected place of a picture [px].

    Attributes:
        top: First row of its box.
        left: First column of its box.
        height: Of its box.
        width: Of its box.
        area_px: Its pixels; the box may hold others.
        peak: Highest level of the map in it.
    """

    top: int
    left: int
    height: int
    width: int
    area_px: int
    peak: float


def find_regions(levels: Float[np.ndarray, "h w"], *, threshold: float, height: int, width: int) -> tuple[Region, ...]:
    """Return the places where a map reaches a threshold, at most twenty, the highest peak first.

    Pixels are connected along rows and columns. Numpy alone: rows are cut into runs, and runs that touch are joined.

    Args:
        levels: The map, perhaps smaller than its picture.
        threshold: Level from which a pixel counts.
        height: Of the picture [px].
        width: Of the picture [px].
    """
    is_above = levels >= threshold
    if not is_above.any():
        return ()
    row, start, stop = _runs(is_above)
    place = _joined(row, start, stop)
    peak = np.array([levels[r, a:b].max() for r, a, b in zip(row, start, stop, strict=True)])
    across, down = width / levels.shape[1], height / levels.shape[0]
    regions = []
    for name in np.unique(place):
        own = place == name
        top, bottom = int(row[own].min() * down), int(np.ceil((row[own].max() + 1) * down))
        left, right = int(start[own].min() * across), int(np.ceil(stop[own].max() * across))
        area = round(float((stop - start)[own].sum()) * across * down)
        regions.append(Region(top, left, bottom - top, right - left, area, float(peak[own].max())))
    return tuple(sorted(regions, key=lambda region: -region.peak)[:_MAX_REGIONS])


def _runs(
    is_above: Bool[np.ndarray, "h w"],
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"], Int[np.ndarray, " R"]]:
    """Return row, first column and column behind the last of every run, row by row."""
    edges = np.diff(np.pad(is_above, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = np.nonzero(edges == 1)
    return row, start, np.nonzero(edges == -1)[1]


def _joined(
    row: Int[np.ndarray, " R"], start: Int[np.ndarray, " R"], stop: Int[np.ndarray, " R"]
) -> Int[np.ndarray, " R"]:
    """Return for each run the first run of its place."""
    first = list(range(len(row)))

    def root(run: int) -> int:
        while first[run] != run:
            first[run] = first[first[run]]
            run = first[run]
        return run

    above = 0  # the first run of the row before that may touch this one
    for run in range(len(row)):
        while row[above] < row[run] - 1 or (row[above] == row[run] - 1 and stop[above] <= start[run]):
            above += 1
        touching = above
        while row[touching] == row[run] - 1 and start[touching] < stop[run]:
            a, b = sorted((root(touching), root(run)))
            first[b] = a
            touching += 1
    return np.array([root(run) for run in range(len(row))])
