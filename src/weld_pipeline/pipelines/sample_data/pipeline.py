"""Wiring of `sample_data`."""

from collections.abc import Callable
from typing import get_args

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines.sample_data import nodes
from weld_pipeline.pipelines.sample_data.params import ImageLayout
from weld_pipeline.pipelines.step import step

IMAGE_LAYOUTS: tuple[str, ...] = get_args(ImageLayout)


def create_pipeline() -> Pipeline:
    """Return the pipeline that draws the samples, each in the namespace of the pipeline that reads it.

    These are the shop of videos, images in each layout, and weld seams with masks.
    """
    shop = _drawing("footage", nodes.plan_weld_shop, nodes.draw_weld_shop, plan="plan_weld_shop", draw="draw_weld_shop")
    seams = _drawing("anomaly_detector", nodes.plan_weld_seams, nodes.draw_weld_seams, plan="plan_weld_seams")
    images = (
        _drawing(layout, nodes.plan_images, nodes.draw_images, plan=f"{layout}.plan_images") for layout in IMAGE_LAYOUTS
    )
    return sum(images, shop + seams)


def _drawing(
    namespace: str,
    plan_node: Callable[..., object],
    draw_node: Callable[..., object],
    *,
    plan: str,
    draw: str = "draw_images",
) -> Pipeline:
    """Return the pair of nodes that plans files and draws them; `plan` and `draw` are keys below `sample_data`."""
    return Pipeline(
        [
            step(plan_node, "params:plan", "sample_plan"),
            step(draw_node, ["sample_plan", "params:draw"], "raw"),
        ],
        namespace=namespace,
        parameters={"params:plan": f"params:sample_data.{plan}", "params:draw": f"params:sample_data.{draw}"},
    )
