"""Wiring of `sample_data`."""

from typing import get_args

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines.sample_data.nodes import (
    draw_images,
    draw_weld_seams,
    draw_weld_shop,
    plan_images,
    plan_weld_seams,
    plan_weld_shop,
)
from weld_pipeline.pipelines.sample_data.params import ImageLayout
from weld_pipeline.pipelines.step import step

IMAGE_LAYOUTS: tuple[str, ...] = get_args(ImageLayout)


def create_pipeline() -> Pipeline:
    """Return the pipeline that draws the samples: the shop of videos, images in each layout, seams with masks."""
    return sum((_images(layout) for layout in IMAGE_LAYOUTS), _shop() + _seams())


def _shop() -> Pipeline:
    """Return the pair of nodes that draws videos, in the namespace of their ingestion."""
    return Pipeline(
        [
            step(plan_weld_shop, "params:plan_weld_shop", "sample_plan"),
            step(draw_weld_shop, ["sample_plan", "params:draw_weld_shop"], "raw"),
        ],
        namespace="footage",
        parameters={f"params:{name}": f"params:sample_data.{name}" for name in ("plan_weld_shop", "draw_weld_shop")},
    )


def _images(layout: str) -> Pipeline:
    """Return the pair of nodes that draws one layout, in its namespace."""
    return Pipeline(
        [
            step(plan_images, "params:plan_images", "sample_plan"),
            step(draw_images, ["sample_plan", "params:draw_images"], "raw"),
        ],
        namespace=layout,
        parameters={
            "params:plan_images": f"params:sample_data.{layout}.plan_images",
            "params:draw_images": "params:sample_data.draw_images",
        },
    )


def _seams() -> Pipeline:
    """Return the pair of nodes that draws weld seams with masks, in the namespace of the pipeline that reads them."""
    return Pipeline(
        [
            step(plan_weld_seams, "params:plan_weld_seams", "sample_plan"),
            step(draw_weld_seams, ["sample_plan", "params:draw_images"], "raw"),
        ],
        namespace="anomaly_detector",
        parameters={
            "params:plan_weld_seams": "params:sample_data.plan_weld_seams",
            "params:draw_images": "params:sample_data.draw_images",
        },
    )
