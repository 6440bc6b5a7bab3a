"""Wiring of `sample_data`."""

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines.sample_data.nodes import draw_weld_shop, plan_weld_shop


def create_pipeline() -> Pipeline:
    """Return the pipeline that draws the sample."""
    return Pipeline(
        [
            Node(plan_weld_shop, "params:sample_data.plan_weld_shop", "sample_plan", name="plan_weld_shop"),
            Node(
                draw_weld_shop,
                ["sample_plan", "params:sample_data.draw_weld_shop"],
                "raw_footage",
                name="draw_weld_shop",
            ),
        ]
    )
