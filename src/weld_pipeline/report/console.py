"""An evaluation as tables on a terminal."""

from rich.console import Console
from rich.table import Table

from weld_pipeline.evaluation.baselines import CONFOUNDS
from weld_pipeline.evaluation.estimates import Estimate
from weld_pipeline.evaluation.evaluation import Evaluation

_HEADLINES = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro-F1",
    "balanced_accuracy": "Balanced accuracy",
    "defect_recall": "Defect recall",
    "good_specificity": "Good-weld specificity",
    "escape_rate": "Escape rate",
    "false_reject_rate": "False-reject rate",
}


def print_evaluation(console: Console, evaluation: Evaluation, *, session_rule: str | None) -> None:
    """Print the headline, the classes, what would be scored without looking, and the notes."""
    n_sessions = len(evaluation.sessions)
    session = session_rule or "each id is its own, so the intervals take samples for independent"
    console.print(f"[bold]{evaluation.n:,} samples, {n_sessions:,} sessions[/bold] ({session})", highlight=False)
    rates = evaluation.rates
    console.print(_table("Metric", {label: rates[name] for name, label in _HEADLINES.items()}, evaluation))
    recalls = {name: metrics["recall"] for name, metrics in evaluation.per_class.items()}
    console.print(_table("Recall of", recalls, evaluation))
    guesses = {
        f"{CONFOUNDS[baseline.name]}": baseline.rates["accuracy"]
        for baseline in evaluation.baselines
        if baseline.name != "session" or session_rule
    }
    console.print(_table("Accuracy of a look-up that sees only", guesses, evaluation))
    console.print(small_rule(evaluation), highlight=False)
    for note in evaluation.notes:
        console.print(f"• {note}", style="yellow", highlight=False)


def as_interval(estimate: Estimate) -> str:
    """Return the interval in percent, or why there is none; `†` where it rests on too little."""
    mark = " †" if estimate.is_small else ""
    if estimate.value is None:
        return "undefined"
    if estimate.low is None or estimate.high is None:
        return f"none{mark}"
    if estimate.low == estimate.high:
        return f"all sessions agree{mark}"
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f}{mark}".replace("-", "−")


def small_rule(evaluation: Evaluation) -> str:
    """Return what `†` means."""
    protocol = evaluation.protocol
    return f"† n too small to rely on: fewer than {protocol.min_samples} samples or {protocol.min_sessions} sessions"


def _table(first: str, estimates: dict[str, Estimate], evaluation: Evaluation) -> Table:
    table = Table(first, box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for header in ("%", f"{100 * evaluation.protocol.level:g} % interval", "n", "sessions"):
        table.add_column(header, justify="right")
    for name, estimate in estimates.items():
        value = "–" if estimate.value is None else f"{100 * estimate.value:.1f}"
        table.add_row(name, value, as_interval(estimate), f"{estimate.n:,}", f"{estimate.n_sessions:,}")
    table.add_row()
    return table
