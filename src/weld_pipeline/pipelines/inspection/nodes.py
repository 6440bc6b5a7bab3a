"""Nodes of `inspection`."""

from typing import Any

import pandas as pd

from weld_pipeline import deploy, report, runtime
from weld_pipeline.core.files import inside
from weld_pipeline.core.progress import track
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.pipelines.inspection.params import InspectionParams
from weld_pipeline.runtime.bundle import Bundle


def inspect_samples(
    bundle: Bundle, manifest: pd.DataFrame, raw: SourceTree, params: InspectionParams
) -> dict[str, Any]:
    """Return the bundle's verdicts on a few samples beside what they really are."""
    split = deploy.samples.first_filled(manifest, splits=params.splits)
    rows = deploy.samples.choose_samples(manifest, splits=(split,), n_samples=params.n_samples).to_dict("records")
    paths = {row["sample_id"]: inside(raw.root, row["path"]) for row in rows}
    # A csv of labels may tell the speed of images, too, of which no inspector makes anything.
    known = [row for row in rows if row["media"] == "video" and not pd.isna(row["travel_mm_s"])]
    speeds = {paths[row["sample_id"]]: float(row["travel_mm_s"]) for row in known}
    inspector = runtime.open_inspector(bundle, n_threads=params.n_threads, travel_mm_s=speeds or None)
    verdicts = []
    for row in track(rows, label="inspecting", total=len(rows)):
        verdict = inspector.inspect(paths[row["sample_id"]]).compact().to_json()
        verdicts.append(verdict | {"path": row["path"], "sample_id": row["sample_id"], "label": row["label"]})
    return {"bundle": bundle.identity(), "split": split, "verdicts": verdicts}


def time_samples(bundle: Bundle, manifest: pd.DataFrame, raw: SourceTree, params: InspectionParams) -> dict[str, Any]:
    """Return how long samples drawn at random take from file to verdict, and how many of them were right."""
    split = deploy.samples.first_filled(manifest, splits=params.splits)
    drawn = deploy.samples.draw_samples(manifest, split=split, n_samples=params.n_timed, seed=params.seed)
    rows = drawn.to_dict("records")
    timing = deploy.timing.time_samples(
        bundle,
        {row["sample_id"]: inside(raw.root, row["path"]) for row in rows},
        {row["sample_id"]: row["label"] for row in rows},
        n_threads=params.n_threads,
    )
    return {"bundle": bundle.identity(), "split": split, **timing}


def draw_timelines(verdicts: dict[str, Any], bundle: Bundle) -> Any:
    """Return verdicts on videos as a figure, a strip a video."""
    description = bundle.description
    return report.timeline.timeline_figure(
        verdicts["verdicts"], classes=description.classes, good_class=description.good_class
    )
