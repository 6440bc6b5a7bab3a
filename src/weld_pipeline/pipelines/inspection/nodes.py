"""Nodes of `inspection`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from weld_pipeline import core, deploy, report, runtime
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.pipelines.inspection.params import ImageInspectionParams, InspectionParams
from weld_pipeline.runtime.bundle import Bundle


def inspect_videos(
    bundle: Bundle, manifest: pd.DataFrame, raw_footage: SourceTree, params: InspectionParams
) -> dict[str, Any]:
    """Return the bundle's verdicts on a few videos beside what they really are."""
    inspector = runtime.video.inspector.VideoInspector(bundle, n_threads=params.n_threads)
    rows = deploy.samples.choose_samples(manifest, splits=params.splits, n_samples=params.n_videos)
    videos = []
    for row in core.progress.track(rows.to_dict("records"), label="inspecting", total=len(rows)):
        speed = None if pd.isna(row["travel_mm_s"]) else float(row["travel_mm_s"])
        verdict = inspector.inspect(core.files.inside(raw_footage.root, row["path"]), travel_mm_s=speed).to_json()
        videos.append(verdict | {"path": row["path"], "sample_id": row["sample_id"], "label": row["label"]})
    return {"bundle": bundle.identity(), "videos": videos}


def draw_timelines(verdicts: dict[str, Any], bundle: Bundle) -> Any:
    """Return the verdicts as an image, a strip a video."""
    description = bundle.description
    return report.timeline.timeline_figure(
        verdicts["videos"], classes=description.classes, good_class=description.good_class
    )


def inspect_images(
    bundle: Bundle, manifest: pd.DataFrame, raw_images: SourceTree, params: ImageInspectionParams
) -> dict[str, Any]:
    """Return a classifier's verdicts on a few images beside what they really are."""
    classifier = runtime.image.inspector.WeldClassifier(bundle, n_threads=params.n_threads)
    return _judged(bundle, manifest, raw_images, params, judge=lambda path: classifier.predict(path).to_json())


def detect_anomalies(
    bundle: Bundle, manifest: pd.DataFrame, raw_images: SourceTree, params: ImageInspectionParams
) -> dict[str, Any]:
    """Return a detector's verdicts on a few images beside what they really are."""
    detector = runtime.anomaly.inspector.WeldDetector(bundle, n_threads=params.n_threads)
    return _judged(bundle, manifest, raw_images, params, judge=lambda path: detector.inspect(path).to_json())


def time_images(
    bundle: Bundle, manifest: pd.DataFrame, raw_images: SourceTree, params: ImageInspectionParams
) -> dict[str, Any]:
    """Return how long images drawn at random take from file to verdict, and how many of them were right."""
    split = deploy.samples.first_filled(manifest, splits=params.splits)
    rows = deploy.samples.draw_samples(manifest, split=split, n_samples=params.n_timed, seed=params.seed).to_dict(
        "records"
    )
    report = deploy.timing.time_images(
        bundle,
        {row["sample_id"]: core.files.inside(raw_images.root, row["path"]) for row in rows},
        {row["sample_id"]: row["label"] for row in rows},
        n_threads=params.n_threads,
    )
    return {"bundle": bundle.identity(), "split": split, **report}


def _judged(
    bundle: Bundle,
    manifest: pd.DataFrame,
    raw_images: SourceTree,
    params: ImageInspectionParams,
    *,
    judge: Callable[[Path], dict[str, Any]],
) -> dict[str, Any]:
    split = deploy.samples.first_filled(manifest, splits=params.splits)
    images = []
    for row in deploy.samples.choose_samples(manifest, splits=(split,), n_samples=params.n_images).to_dict("records"):
        verdict = judge(core.files.inside(raw_images.root, row["path"]))
        images.append(verdict | {"path": row["path"], "sample_id": row["sample_id"], "label": row["label"]})
    return {"bundle": bundle.identity(), "split": split, "images": images}
