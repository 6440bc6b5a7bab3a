"""Nodes of `inspection`."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.pipelines.inspection.params import InspectionParams
from weld_pipeline.runtime.bundle import Bundle


def inspect_videos(
    bundle: Bundle, manifest: pd.DataFrame, raw_footage: SourceTree, params: InspectionParams
) -> dict[str, Any]:
    """Return the bundle's verdicts on a few videos beside what they really are."""
    from weld_pipeline.core.files import inside
    from weld_pipeline.core.progress import track
    from weld_pipeline.deploy.choose import choose_samples
    from weld_pipeline.runtime.video import VideoInspector

    inspector = VideoInspector(bundle, n_threads=params.n_threads)
    rows = choose_samples(manifest, splits=params.splits, n_samples=params.n_videos)
    videos = []
    for row in track(rows.to_dict("records"), label="inspecting", total=len(rows)):
        speed = None if pd.isna(row["travel_mm_s"]) else float(row["travel_mm_s"])
        verdict = inspector.inspect(inside(raw_footage.root, row["path"]), travel_mm_s=speed).to_json()
        videos.append(verdict | {"path": row["path"], "sample_id": row["sample_id"], "label": row["label"]})
    return {"bundle": bundle.identity(), "videos": videos}


def draw_timelines(verdicts: dict[str, Any], bundle: Bundle) -> Figure:
    """Return the verdicts as a picture, a strip a video."""
    from weld_pipeline.deploy.timeline import timeline_figure

    description = bundle.description
    return timeline_figure(verdicts["videos"], classes=description.classes, good_class=description.good_class)
