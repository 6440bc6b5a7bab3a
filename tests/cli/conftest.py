"""Bundles so small that they need no training, as in the tests of the runtime."""

from tests.runtime.conftest import *  # noqa: F403 - pytest finds fixtures by their names
