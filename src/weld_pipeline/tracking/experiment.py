"""Experiment: the tags that it should bear, whoever made it and when."""

from collections.abc import Mapping

import mlflow
from mlflow import MlflowClient


def add_missing_tags(name: str, tags: Mapping[str, str]) -> None:
    """Give an experiment the tags it lacks; those a person changed stay as they are."""
    experiment = mlflow.get_experiment_by_name(name)
    assert experiment is not None  # the plugin makes it before any run
    for key in tags.keys() - experiment.tags.keys():
        MlflowClient().set_experiment_tag(experiment.experiment_id, key, tags[key])
