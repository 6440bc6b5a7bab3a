"""Files of a drawn shop: path and bytes of each."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.synthetic.drawn.files import FilePlan, pending_files
from weld_pipeline.synthetic.drawn.shop.signals import draw_sensor_log, draw_sound
from weld_pipeline.synthetic.drawn.shop.still import draw_still, still_names
from weld_pipeline.synthetic.drawn.shop.video import draw_video
from weld_pipeline.synthetic.drawn.shop.welds import CLASSES, DrawnWeld

# Part of every content key: raise it when the same recipe would give other images.
DRAWING_VERSION = 1


def run_files(weld: DrawnWeld) -> Iterator[FilePlan]:
    """Yield the files of one run: video, sensor log, sound, five photographs."""
    stem = f"{weld.folder}/{weld.run_id}"
    yield FilePlan(f"{stem}.avi", partial(draw_video, weld))
    yield FilePlan(f"{stem}.csv", partial(draw_sensor_log, weld))
    yield FilePlan(f"{stem}.flac", partial(draw_sound, weld))
    for name in still_names(weld):
        yield FilePlan(f"{weld.folder}/images/{name}", partial(draw_still, weld, name))


def pending_shop(welds: list[DrawnWeld], *, manifest_csv: str, n_workers: int) -> PendingItems[FilePlan, bytes]:
    """Return the files of a shop as work to be done, the manifest first."""
    files: list[tuple[FilePlan, object]] = [(FilePlan("manifest.csv", partial(str.encode, manifest_csv)), manifest_csv)]
    for weld in welds:
        files.extend((plan, asdict(weld)) for plan in run_files(weld))
    return pending_files(files, version=DRAWING_VERSION, label="drawing sample welds", n_workers=n_workers)


def example_weld(
    label: str = "Good",
    *,
    number: int = 1,
    arc_s: float = 3.0,
    lead_s: float = 0.7,
    width: int = 960,
    still_width: int = 1600,
    seed: int = 0,
) -> DrawnWeld:
    """Return the recipe of one run outside any shop, for tests and benchmarks.

    Args:
        label: Class, one of `welds.CLASSES`.
        number: Running number; another number gives another weld.
        lead_s: Dark time before and after the arc [s].
        width: Frame width [px], a multiple of 16.

    Raises:
        WeldError: If the label is no class.
    """
    if label not in CLASSES:
        raise WeldError(f"weld class {label!r} is unknown; use one of {', '.join(CLASSES)}")
    return DrawnWeld(
        run_id=f"01-02-23-{number:04d}-{CLASSES.index(label):02d}",
        label=label,
        session="01-02-23",
        configuration="weld_1_butt_7mm_FE410",
        joint="butt",
        steel="FE410",
        thickness_mm=7,
        current_a=160,
        voltage_v=21.0,
        gas_bar=4.0,
        speed_cpm=28,
        split="TRAIN",
        lead_in_s=lead_s,
        arc_s=arc_s,
        lead_out_s=lead_s,
        is_handwritten=False,
        width=width,
        still_width=still_width,
        seed=seed,
    )
