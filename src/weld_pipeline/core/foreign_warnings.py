"""Foreign warnings: what other libraries say of their own insides, which a user of this program can do nothing about."""

import logging
import re
import sys
import warnings

# (message, category, module that is warned of): each as narrow as it can be. Where a library is renewed, look whether it
# still needs its line. Everything else is shown, and so are these by `PYTHONWARNINGS=default kedro run …`.
_FOREIGN: tuple[tuple[str, type[Warning], str], ...] = (
    # kedro 1.7: the option works until 2.0, and our pages name it.
    (r"Option '--pipeline' is deprecated", DeprecationWarning, r"kedro\.framework\.cli\.project"),
    # fastapi 0.13x of a class in kedro-viz 12.5.
    (r"ORJSONResponse is deprecated", UserWarning, r"kedro_viz\."),
    # omegaconf 2.4 of the calls in kedro 1.7 and kedro-mlflow 2.0.
    (r"register_new_resolver\(\) is deprecated", UserWarning, r"kedro\.config|kedro_mlflow\."),
    # torch 2.15: `nn.compiled` gives OpenVINO a trace, and torch has no other form for it that is as quick to make.
    (r"`torch\.jit\.(trace|trace_method)` is deprecated", FutureWarning, r"torch\.jit\."),
    # lightning 2.6 of a class of torch 2.15.
    (r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning, r"lightning\.pytorch\.utilities\._pytree"),
    # lightning 2.6: frozen stages are in evaluation mode on purpose.
    (
        r"Found \d+ module\(s\) in eval mode at the start of training",
        UserWarning,
        r"lightning\.pytorch\.loops\.fit_loop",
    ),
)


# mlflow 3.17 of a model class of kedro-mlflow 2.0 that is not used here. MLflow sets a filter of its own around it, before
# all others, so it can only be left out where Kedro logs it.
_LOGGED = re.compile(
    r"mlflow.pyfunc.utils.data_validation\.py:\d+: UserWarning: .*Add type hints to the `predict` method"
)


def ignore_foreign_warnings() -> None:
    """Leave these warnings out in this process, unless Python was told what to do with warnings."""
    if sys.warnoptions:
        return
    for message, category, module in _FOREIGN:
        warnings.filterwarnings("ignore", message, category, module)
    logging.getLogger("py.warnings").addFilter(_is_ours)


def _is_ours(record: logging.LogRecord) -> bool:
    return not _LOGGED.search(record.getMessage())
