"""Kedro's entry to the project: hooks, configuration, and what the terminal shows."""

import os
from importlib.metadata import distribution

from kedro.config import OmegaConfigLoader

from weld_pipeline.core.foreign_warnings import ignore_foreign_warnings
from weld_pipeline.hooks import DataFolderHooks, StoryHooks, TrackingHooks
from weld_pipeline.screen import load_mlflow_commands_late, show_the_story

# Threads of torch that have nothing to do sleep. Spinning, they take the core from whoever works: decoding, another engine,
# the next program. Torch reads this when it is loaded, which a run does later.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

HOOKS = (DataFolderHooks(), StoryHooks(), TrackingHooks())
# TrackingHooks calls that plugin's hook, with our additions; both registered would record every run twice. Kedro compares
# names to the letter, so the name is asked of the distribution, which has spelt it with a hyphen and an underscore.
DISABLE_HOOKS_FOR_PLUGINS = (distribution("kedro-mlflow").name,)
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # Without this an environment that names one key of a block would replace the whole block.
    "merge_strategy": {"parameters": "soft", "mlflow": "soft"},
    "config_patterns": {"mlflow": ["mlflow*", "mlflow*/**", "**/mlflow*"]},
}

ignore_foreign_warnings()
show_the_story()
load_mlflow_commands_late()
