"""Pipeline registry: what `kedro run --pipeline=…` knows, in the order of the flow."""

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines import evaluation, export, ingestion, inspection, sample_data
from weld_pipeline.pipelines.families import FAMILIES
from weld_pipeline.pipelines.family import Family

# Steps that cut across families: each is a pipeline made from its tag.
STEPS = ("ingestion", "feature_extraction", "training", "calibration", "evaluation", "export", "inspection")


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline by name.

    A family's or a member's name runs its whole chain from raw data to a verdict, a step's name runs that step for every
    family, and `__default__` runs all families. Sample data stay outside `__default__`, which reads whatever lies in
    data/01_raw.
    """
    families = {family.name: _whole(family) for family in FAMILIES}
    everything = sum(families.values(), Pipeline([]))
    return {
        "__default__": everything,
        "sample_data": sample_data.create_pipeline(),
        **{member: _chain(family, member) for family in FAMILIES for member in family.members},
        **families,
        **{step: everything.only_nodes_with_tags(step) for step in STEPS},
    }


def _whole(family: Family) -> Pipeline:
    """Return the chains of all members of a family, and what sets them beside each other."""
    chains = sum((_chain(family, member) for member in family.members), Pipeline([]))
    return chains + (family.compare() if family.compare else Pipeline([]))


def _chain(family: Family, member: str) -> Pipeline:
    """Return the way of one member: ingestion, learning, evaluation, bundle, verdicts."""
    return (
        ingestion.create_pipeline(family.source_of(member), media=family.media)
        + family.learn(member)
        + evaluation.create_pipeline(family, member)
        + export.create_pipeline(family, member)
        + inspection.create_pipeline(family, member)
    )
