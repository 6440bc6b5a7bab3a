"""Pipeline registry: what `kedro run --pipeline=…` knows, in the order of the flow."""

from collections.abc import Iterable
from functools import cache

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines import evaluation, export, ingestion, inspection, overview, sample_data
from weld_pipeline.pipelines.families import FAMILIES
from weld_pipeline.pipelines.family import Family
from weld_pipeline.pipelines.step import box

# Steps that cut across families: each is a pipeline made from its tag.
STEPS = ("ingestion", "feature_extraction", "training", "calibration", "evaluation", "export", "inspection", "overview")


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline by name.

    A family's or a member's name runs its whole chain from raw data to a verdict, a step's name runs that step for every
    family, and `__default__` runs all families. Sample data stay outside `__default__`, which reads whatever lies in
    data/01_raw. Every node bears its member's name as a tag, so `--tags` narrows a step to some members.
    """
    everything = _ingestion(FAMILIES) + _joined(map(_learning, FAMILIES))
    return {
        "__default__": everything,
        "sample_data": sample_data.create_pipeline(),
        **{
            member: _ingested(family, member) + _member(family, member)
            for family in FAMILIES
            for member in family.members
        },
        **{family.name: _ingestion([family]) + _learning(family) for family in FAMILIES},
        **{step: everything.only_nodes_with_tags(step) for step in STEPS},
    }


def _ingestion(families: Iterable[Family]) -> Pipeline:
    """Return the ingestion of what some families read, as one box; where there are several sources, with a page of all."""
    ingested = {family.source_of(member): _ingested(family, member) for family in families for member in family.members}
    pages = {source: f"{source}.data_overview" for source in ingested}
    page = overview.create_pipeline("data", pages, output="ingestion.overview") if len(pages) > 1 else Pipeline([])
    return _joined(ingested.values()) + box("ingestion", page)


@cache
def _ingested(family: Family, member: str) -> Pipeline:
    """Return the ingestion of what a member reads, with its page."""
    source = family.source_of(member)
    stage = ingestion.create_pipeline(source, media=family.media)
    drawn = {
        name.rpartition(".")[2]: name for name in stage.outputs() if not name.endswith((".manifest", ".split_audit"))
    }
    page = overview.create_pipeline(f"data of {source}", drawn, output=f"{source}.data_overview")
    return box("ingestion", stage + box(source, page), tags={source, "ingestion"})


def _learning(family: Family) -> Pipeline:
    """Return the members of a family as one box; where there are several, with what sets them beside each other."""
    members = _joined(_member(family, member) for member in family.members)
    if len(family.members) == 1:
        return members
    compared = family.compare() if family.compare else Pipeline([])
    pages = {member: f"{member}.overview" for member in family.members}
    pages |= {name.rpartition(".")[2]: name for name in compared.outputs()}
    page = overview.create_pipeline(family.name, pages, output=f"{family.name}.overview")
    return members + box(family.name, compared + page)


@cache
def _member(family: Family, member: str) -> Pipeline:
    """Return what follows ingestion for one member: learning, evaluation, bundle, verdicts, and a page of all that."""
    stages = (
        family.learn(member)
        + evaluation.create_pipeline(family, member)
        + export.create_pipeline(family, member)
        + inspection.create_pipeline(family, member)
    )
    drawn = {name.rpartition(".")[2]: name for name in stages.outputs()}
    top = {name: f"{member}.{name}" for name in ("banners", "evaluation")}
    page = box(member, overview.create_pipeline(member, drawn | top, output=f"{member}.overview"))
    whole = box(None, stages + page, tags={member})
    return whole if member == family.name else box(family.name, whole)


def _joined(pipelines: Iterable[Pipeline]) -> Pipeline:
    # At once: a sum would sort all nodes anew at every plus.
    return Pipeline({node for pipeline in pipelines for node in pipeline.nodes})
