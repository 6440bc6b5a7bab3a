"""How fast the torch moved: from the person, or from the manifest of the footage."""

import csv
from functools import lru_cache
from pathlib import Path

from weld_pipeline.core.errors import WeldError

MANIFEST_NAME = "manifest.csv"


def cpm_to_mm_s(cpm: float) -> float:
    """Return a travel speed in mm/s.

    Args:
        cpm: Centimetres a minute, as welders give it.

    Raises:
        WeldError: If it is not above zero.

    >>> cpm_to_mm_s(30.0)
    5.0
    """
    if not cpm > 0:
        raise WeldError(f"travel speed {cpm:g} cm/min must be above 0; leave it out if it is not known")
    return cpm * 10 / 60


def manifest_travel_mm_s(video: Path) -> float | None:
    """Return the travel speed [mm/s] that an Intel manifest above the video tells for its run, or None.

    The nearest `manifest.csv` above the video that lists its run folder is asked.

    Args:
        video: `…/<configuration>/<run id>/<run id>.avi`.

    Raises:
        WeldError: If the manifest lists the run with a speed that is no number above zero.
    """
    video = video.resolve()
    for root in video.parents[1:]:
        manifest = root / MANIFEST_NAME
        if not manifest.is_file():
            continue
        speed = _speeds(manifest).get(video.parent.relative_to(root).as_posix())
        if speed is None:
            continue
        try:
            return cpm_to_mm_s(float(speed))
        except ValueError as error:
            raise WeldError(
                f"{manifest}: ROBOT_SPEED_CPM of {video.parent.name} is {speed!r}, expected cm/min above 0; "
                "mend the manifest or give --travel-speed-cpm"
            ) from error
    return None


@lru_cache(maxsize=8)
def _speeds(manifest: Path) -> dict[str, str]:
    with manifest.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        return {
            row["SUBDIRS"]: row["ROBOT_SPEED_CPM"] for row in rows if row.get("SUBDIRS") and row.get("ROBOT_SPEED_CPM")
        }
