"""Kedro's entry to the project: hooks and configuration."""

import warnings

from kedro.config import OmegaConfigLoader

# kedro-mlflow's own class meets MLflow's advice to its authors at every command.
warnings.filterwarnings("ignore", message=".*Add type hints to the `predict` method", category=UserWarning)

from weld_pipeline.hooks import TrackingHooks  # noqa: E402

HOOKS = (TrackingHooks(),)
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-mlflow",)  # TrackingHooks is that plugin's hook, with our additions
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # Without this an environment that names one key of a stage would replace the whole stage.
    "merge_strategy": {"parameters": "soft"},
}
