"""Wiring of `export`, one template for every family."""

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines.export import nodes
from weld_pipeline.pipelines.family import Family

_DESCRIBED = ("graph", "family_name", "decision", "manifest", "evaluation", "banners", "mlflow_run_id")
_COMPARED = ("candidate", "module", "manifest", "raw", "predictions")


def create_pipeline(family: Family, member: str) -> Pipeline:
    """Return the pipeline from a member's trained parts to its bundle, in its namespace."""
    bundling, parity = family.bundling, f"params:export.{family.bundling.parity}"
    of_source = {f"params:{name}": f"params:{family.source_of(member)}.{name}" for _, name in bundling.parameters}
    graph_inputs = {name: name for name in ("module", *bundling.learned)}
    graph_inputs |= {argument: f"params:{name}" for argument, name in bundling.parameters}
    template = Pipeline(
        [
            Node(bundling.assemble, {name: name for name in bundling.parts}, "module", name="assemble_graph"),
            Node(bundling.export_graph, graph_inputs, "graph", name="export_graph"),
            Node(nodes.describe_candidate, {name: name for name in _DESCRIBED}, "candidate", name="describe_candidate"),
            Node(
                nodes.check_parity,
                {name: name for name in _COMPARED} | {"params": parity},
                "parity",
                name="check_parity",
            ),
            Node(nodes.release_bundle, ["candidate", "parity"], "bundle", name="release_bundle"),
        ],
        tags={"export"},
    )
    return Pipeline(
        template,
        namespace=member,
        inputs={"mlflow_run_id": "mlflow_run_id"} | family.ingested("manifest", "raw"),
        parameters={parity: parity} | of_source,
        prefix_datasets_with_namespace=True,
    )
