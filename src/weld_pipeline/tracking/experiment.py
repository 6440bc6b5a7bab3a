"""Experiment: the tags that it should bear, whoever made it and when."""

from collections.abc import Mapping

import mlflow
from mlflow import MlflowClient


def open_experiment(name: str, tags: Mapping[str, str]) -> None:
    """Make an experiment the active one and give it the tags it lacks; those a person changed stay as they are."""
    experiment = mlflow.set_experiment(name)
    for key in tags.keys() - experiment.tags.keys():
        MlflowClient().set_experiment_tag(experiment.experiment_id, key, tags[key])
