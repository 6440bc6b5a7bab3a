"""Kedro's entry to the project: hooks and configuration."""

from kedro.config import OmegaConfigLoader

from weld_pipeline.hooks import TrackingHooks

HOOKS = (TrackingHooks(),)  # type: ignore[no-untyped-call]
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-mlflow",)  # TrackingHooks is that plugin's hook, with our additions
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # Without this an environment that names one key of a block would replace the whole block.
    "merge_strategy": {"parameters": "soft", "mlflow": "soft"},
}
