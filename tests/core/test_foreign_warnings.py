"""Foreign warnings: each is left out by message and module; the same words from elsewhere are shown."""

import logging
import sys
import warnings

import pytest

from weld_pipeline.core.foreign_warnings import ignore_foreign_warnings

EVAL_MODE = "Found 426 module(s) in eval mode at the start of training. This may lead to unexpected behavior"


@pytest.fixture
def warn(monkeypatch):
    monkeypatch.setattr(sys, "warnoptions", [])

    def shown(message, category, module):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("default")
            ignore_foreign_warnings()
            warnings.warn_explicit(message, category, "a.py", 1, module=module)
        return bool(seen)

    return shown


@pytest.mark.parametrize(
    ("message", "category", "module"),
    [
        (
            "Option '--pipeline' is deprecated and will be removed in a future release. Please use '--pipelines' instead.",
            DeprecationWarning,
            "kedro.framework.cli.project",
        ),
        ("register_new_resolver() is deprecated and will be removed", UserWarning, "kedro.config.omegaconf_config"),
        (
            "register_new_resolver() is deprecated and will be removed",
            UserWarning,
            "kedro_mlflow.framework.hooks.mlflow_hook",
        ),
        ("`torch.jit.trace` is deprecated. Please switch", FutureWarning, "torch.jit._trace"),
        ("`torch.jit.trace_method` is deprecated. Please switch", FutureWarning, "torch.jit._trace"),
        ("`isinstance(treespec, LeafSpec)` is deprecated, use", FutureWarning, "lightning.pytorch.utilities._pytree"),
        (EVAL_MODE, UserWarning, "lightning.pytorch.loops.fit_loop"),
    ],
)
def test_warning_of_a_library_of_itself_is_left_out_and_the_same_words_of_another_are_not(
    warn, message, category, module
):
    assert not warn(message, category, module)
    assert warn(message, category, "weld_pipeline.nn.training.loop")
    assert warn(f"Also: {message}", category, module)


def test_whoever_asks_python_for_warnings_gets_all(warn, monkeypatch):
    monkeypatch.setattr(sys, "warnoptions", ["default"])
    assert warn(EVAL_MODE, UserWarning, "lightning.pytorch.loops.fit_loop")


def test_warning_that_mlflow_forces_through_is_left_out_of_the_log(monkeypatch, caplog):
    monkeypatch.setattr(sys, "warnoptions", [])
    with warnings.catch_warnings():
        ignore_foreign_warnings()
    logger = logging.getLogger("py.warnings")
    place = "/lib/mlflow/pyfunc/utils/data_validation.py:187: UserWarning: "
    logger.warning("%s", f"{place}\x1b[33mAdd type hints to the `predict` method to enable data validation")
    logger.warning("%s", f"{place}\x1b[33mType hint used in the model's predict function is not supported")
    assert ["not supported" in record.getMessage() for record in caplog.records] == [True]
