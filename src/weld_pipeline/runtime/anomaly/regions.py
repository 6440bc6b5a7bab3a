"""Where a map is above a threshold: its connected places as boxes."""

from dataclasses import dataclass

import numpy as np

from weld_pipeline.core.shapes import Bool, Float, Int

# A map that is all over the threshold in specks would fill a page; the highest peaks are what to look at.
_MAX_REGIONS = 20


@dataclass(frozen=True)
class Region:
    """A connected place of an image [px].

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
        levels: The map, perhaps smaller than its image.
        threshold: Level from which a pixel counts.
        height: Of the image [px].
        width: Of the image [px].
    """
    is_above = levels >= threshold
    if not is_above.any():
        return ()
    row, start, stop = _runs(is_above)
    n_px = stop - start
    # Row by row, the pixels above stand in the order of the runs.
    peak = np.maximum.reduceat(levels[is_above], np.cumsum(n_px) - n_px)
    n_rows, n_columns = levels.shape
    names, place = np.unique(_joined(row, start, stop), return_inverse=True)
    top, bottom = (_gathered(ufunc, row, place, len(names)) for ufunc in (np.minimum, np.maximum))
    left, right = _gathered(np.minimum, start, place, len(names)), _gathered(np.maximum, stop, place, len(names))
    area, highest = np.bincount(place, weights=n_px), _gathered(np.maximum, peak, place, len(names))
    regions = []
    for one in np.argsort(-highest, kind="stable")[:_MAX_REGIONS]:
        first_row, last_row = _stretched(top[one], bottom[one] + 1, by=(height, n_rows))
        first_column, last_column = _stretched(left[one], right[one], by=(width, n_columns))
        area_px = max(1, round(int(area[one]) * height * width / (n_rows * n_columns)))
        box = (first_row, first_column, last_row - first_row, last_column - first_column)
        regions.append(Region(*box, area_px, float(highest[one])))
    return tuple(regions)


def _stretched(first: np.integer, stop: np.integer, *, by: tuple[int, int]) -> tuple[int, int]:
    """Return the least span of whole pixels of the image that covers one of the map, in whole numbers."""
    longer, shorter = by
    return int(first) * longer // shorter, -(-int(stop) * longer // shorter)


def _gathered(ufunc: np.ufunc, values: np.ndarray, place: Int[np.ndarray, " R"], n_places: int) -> np.ndarray:
    """Return the least or greatest of the values in each place."""
    found = np.empty(n_places, values.dtype)
    found[place] = values  # any of them to begin with
    ufunc.at(found, place, values)
    return found


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
    rows, starts, stops = row.tolist(), start.tolist(), stop.tolist()  # Python's own numbers loop faster
    first = list(range(len(rows)))

    def root(run: int) -> int:
        while first[run] != run:
            first[run] = first[first[run]]
            run = first[run]
        return run

    above = 0  # the first run that may touch this one from the row before
    for run, (at, begin, end) in enumerate(zip(rows, starts, stops, strict=True)):
        while rows[above] < at - 1 or (rows[above] == at - 1 and stops[above] <= begin):
            above += 1
        touching = above
        while rows[touching] == at - 1 and starts[touching] < end:
            a, b = sorted((root(touching), root(run)))
            first[b] = a
            touching += 1
    return np.array([root(run) for run in range(len(rows))])
