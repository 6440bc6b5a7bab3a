"""Wiring of `export`, one template for every family."""

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines.export import nodes
from weld_pipeline.pipelines.family import RUN_ID, Family
from weld_pipeline.pipelines.step import box, step

_DESCRIBED = ("graph", "family_name", "decision", "manifest", "evaluation", "banners")
_COMPARED = ("candidate", "module", "manifest", "raw", "predictions")


def create_pipeline(family: Family, member: str) -> Pipeline:
    """Return the pipeline from a member's trained parts to its bundle, in its namespace."""
    bundling, parity = family.bundling, f"params:export.{family.bundling.parity}"
    settings = {name: f"params:export.{name}" for name in bundling.settings}
    of_source = {f"params:{name}": f"params:{family.source_of(member)}.{name}" for _, name in bundling.parameters}
    graph_inputs = {name: name for name in ("module", *bundling.learned)}
    graph_inputs |= {argument: f"params:{name}" for argument, name in bundling.parameters}
    template = Pipeline(
        [
            step(
                bundling.assemble, {name: name for name in bundling.parts} | settings, "module", name="assemble_graph"
            ),
            step(bundling.export_graph, graph_inputs, "graph"),
            step(
                nodes.describe_candidate, {name: name for name in _DESCRIBED} | {"mlflow_run_id": RUN_ID}, "candidate"
            ),
            step(nodes.check_parity, {name: name for name in _COMPARED} | {"params": parity}, "parity"),
            step(nodes.release_bundle, ["candidate", "parity"], "bundle"),
        ],
        tags={"export"},
    )
    return Pipeline(
        box("delivery", template),
        namespace=member,
        inputs=family.ingested("manifest", "raw"),
        parameters={name: name for name in (parity, RUN_ID, *settings.values())} | of_source,
        prefix_datasets_with_namespace=True,
    )
