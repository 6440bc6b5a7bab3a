"""Kedro's entry to the project: hooks and configuration."""

from kedro.config import OmegaConfigLoader

from weld_pipeline.hooks import TrackingHooks

HOOKS = (TrackingHooks(),)
# TrackingHooks is that plugin's hook, with our additions. Kedro compares names to the letter, and the plugin's own name
# has a hyphen in some releases and an underscore in others; where none fits, every run is recorded twice.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-mlflow", "kedro_mlflow")
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # Without this an environment that names one key of a block would replace the whole block.
    "merge_strategy": {"parameters": "soft", "mlflow": "soft"},
}
