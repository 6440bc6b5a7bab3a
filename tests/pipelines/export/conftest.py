"""Trained parts so small that they need no training, as in the tests of deploy."""

from tests.deploy.conftest import *  # noqa: F403 - pytest finds fixtures by their names
