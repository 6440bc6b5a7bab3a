"""Caveats: sentences on numbers that rest on too few rows."""

from collections.abc import Collection

from weld_pipeline.evaluation.estimates import Estimate, Scored, Sessions


def limits(scored: Scored, sessions: Sessions, good: Collection[str]) -> list[str]:
    """Return a sentence for each number that is undefined or whose interval is not reliable."""
    notes = []
    if scored.rates["accuracy"].is_small:
        n, n_sessions = len(sessions.of_row), len(sessions.names)
        notes.append(f"n is too small: {n} samples of {n_sessions} session(s); do not rely on any interval.")
    notes += [note for name, metrics in scored.per_class.items() if (note := _class_limit(name, metrics["recall"]))]
    if not good:
        notes.append("No good class: defect recall and good-weld specificity are undefined.")
    elif scored.rates["good_specificity"].value is None:
        notes.append(f"No sample of a good weld ({', '.join(sorted(good))}): specificity is undefined.")
    return notes


def _class_limit(name: str, recall: Estimate) -> str | None:
    if recall.n == 0:
        return f"No sample of {name}: nothing is known of it."
    if recall.is_small:
        return f"n is too small for {name}: {recall.n} samples of {recall.n_sessions} session(s); do not rely on its interval."
    if recall.low == recall.high:
        return f"{name}: all {recall.n_sessions} sessions agree; that its interval has no width does not bound rare errors."
    return None
