"""Experiment: the tags that it should bear, whoever made it and when."""

from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities import Experiment


def add_missing_tags(experiment: Experiment, tags: Mapping[str, str]) -> None:
    """Give an experiment the tags it lacks; those a person changed stay as they are."""
    for name in tags.keys() - experiment.tags.keys():
        MlflowClient().set_experiment_tag(experiment.experiment_id, name, tags[name])
