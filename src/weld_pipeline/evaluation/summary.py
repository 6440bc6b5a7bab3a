"""Summaries of an evaluation as JSON values: the whole record for files, the short one for `weld evaluate`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.evaluation.baselines import Baseline
from weld_pipeline.evaluation.estimates import Estimate
from weld_pipeline.evaluation.evaluation import Evaluation
from weld_pipeline.evaluation.metrics import RATES

_NOT_IN_METRIC = re.compile(r"[^\w\-. :]")


def to_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return the whole evaluation as JSON values, None for undefined numbers."""
    return asdict(evaluation)


def from_record(record: dict[str, Any]) -> Evaluation:
    """Return the evaluation of a record from `to_record`.

    Raises:
        WeldError: If a field is missing or wrong.
    """
    try:
        return TypeAdapter(Evaluation).validate_python(record)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WeldError(f"evaluation record: {where}: {first['msg']}; evaluate the predictions again") from error


def class_table(evaluation: Evaluation) -> pd.DataFrame:
    """Return a row for each class: n, n_sessions, each metric with its interval, AUROC of each score against good welds."""
    rows = []
    for name, metrics in evaluation.per_class.items():
        row: dict[str, Any] = {"label": name, "is_good": name in evaluation.good_classes}
        row |= {"n": metrics["recall"].n, "n_sessions": metrics["recall"].n_sessions}
        scores = {f"auroc_{column}": values.get(name) for column, values in evaluation.auroc_per_defect.items()}
        for metric, estimate in (metrics | scores).items():
            ends = (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)
            row |= dict(zip((metric, f"{metric}_low", f"{metric}_high"), ends, strict=True))
        rows.append(row)
    table = pd.DataFrame(rows)
    numbers = [name for name in table if name not in {"label", "is_good", "n", "n_sessions"}]
    return table.astype(dict.fromkeys(numbers, "Float64"))


def short_record(evaluation: Evaluation, *, session_rule: str | None) -> dict[str, Any]:
    """Return the values that `weld evaluate --json` prints.

    Args:
        session_rule: What a session is, in words; None if each row is its own session. Then there is no session baseline.
    """
    rates = {name: evaluation.rates[name] for name in RATES}
    recalls = {name: metrics["recall"] for name, metrics in evaluation.per_class.items()}
    sees_session = [baseline for baseline in evaluation.baselines if baseline.name == "session" and session_rule]
    return {
        **{name: estimate.value for name, estimate in rates.items()},
        "per_class_recall": {name: estimate.value for name, estimate in recalls.items()},
        "intervals": {
            **{name: estimate.interval for name, estimate in rates.items()},
            "per_class_recall": {name: estimate.interval for name, estimate in recalls.items()},
        },
        "session_baseline": _session_baseline(sees_session[0]) if sees_session else None,
        "n": evaluation.n,
        "n_sessions": len(evaluation.sessions),
        "n_per_class": {name: estimate.n for name, estimate in recalls.items()},
        "session_rule": session_rule or "each id is its own session",
        "level": evaluation.protocol.level,
        "n_too_small": [name for name, estimate in (rates | recalls).items() if estimate.is_small],
        "notes": evaluation.notes,
    }


def curve_metrics(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, list[dict[str, float]]]:
    """Return the metrics of every epoch in MLflow's form: `network.metric` → value and step, from 1 on.

    >>> curve_metrics({"net": {"loss": [0.5]}})
    {'net.loss': [{'value': 0.5, 'step': 1}]}
    """
    return {
        f"{network}.{name}": [{"value": value, "step": step} for step, value in enumerate(values, start=1)]
        for network, metrics in curves.items()
        for name, values in metrics.items()
    }


def metric_name(name: str) -> str:
    """Return the name of a class or a category for a metric of MLflow: other characters become `_`.

    >>> metric_name("crack+pore (1)")
    'crack_pore _1_'
    """
    return _NOT_IN_METRIC.sub("_", name)


def flat_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return the numbers to compare between runs, in a flat dict without undefined ones.

    Every family has the same names. `ece` is that of `p_defect`, which every calibrated family has. `ece_class` is that of
    the predicted class, which a detector lacks.
    """
    shipped = evaluation.shipped
    named: dict[str, Estimate] = {
        **evaluation.rates,
        **({f"shipped.{name}": estimate for name, estimate in shipped.rates.items()} if shipped else {}),
        **{f"recall.{metric_name(name)}": metrics["recall"] for name, metrics in evaluation.per_class.items()},
        **{f"baseline.{each.name}_from_{each.fit_on}": each.rates["accuracy"] for each in evaluation.baselines},
        **{f"margin.{each.name}_from_{each.fit_on}": each.margin for each in evaluation.baselines},
    }
    flat: dict[str, float | None] = {"n": evaluation.n, "n_sessions": len(evaluation.sessions)}
    for name, estimate in named.items():
        flat |= {name: estimate.value, f"{name}.low": estimate.low, f"{name}.high": estimate.high}
    ece = {"defect": "ece", "class": "ece_class"}
    flat |= {ece[name]: curve.ece for name, curve in evaluation.reliability.items()}
    return {name: float(value) for name, value in flat.items() if value is not None}


def _session_baseline(baseline: Baseline) -> dict[str, Any]:
    return {
        "accuracy": baseline.rates["accuracy"].value,
        "macro_f1": baseline.rates["macro_f1"].value,
        "balanced_accuracy": baseline.rates["balanced_accuracy"].value,
        "rule": baseline.rule,
        "interval": baseline.rates["accuracy"].interval,
        "margin": baseline.margin.value,
        "margin_interval": baseline.margin.interval,
    }
