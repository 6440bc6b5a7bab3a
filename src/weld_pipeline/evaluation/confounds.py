"""Confounds: guesses of a label from session, set-up or mean brightness, without looking at the weld.

A classifier must score above these guesses. If each recording date holds one class, the date alone is an almost perfect
classifier, and the network may recognise the date.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Shaped

from weld_pipeline.core.errors import WeldError

N_NEIGHBOURS = 15


def lookup_baseline(labels: Sequence[str], groups: Sequence[str]) -> Shaped[np.ndarray, " N"]:
    """Return for each row the commonest label among the other rows of its group.

    The row itself is left out, so its own label does not help. A row that is alone in its group gets the commonest label
    of all other rows.

    Ties go to the tied label that is commoner among all other rows, then to the first in alphabetical order. The result
    does not depend on the order of the rows.

    Raises:
        WeldError: If the lengths differ, or there are fewer than two rows.
    """
    _same_length(2, labels=labels, groups=groups)
    classes, label_of = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    names, group_of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    counts = np.zeros((len(names), len(classes)), dtype=np.int64)
    np.add.at(counts, (group_of, label_of), 1)
    own = np.eye(len(classes), dtype=np.int64)[label_of]
    in_group = counts[group_of] - own  # [N, K] label counts of the other rows in the group
    overall = counts.sum(axis=0) - own  # [N, K] of all other rows; classes are sorted, so argmax is alphabetical
    return classes[np.argmax(in_group * (len(label_of) + 1) + overall, axis=1)]


def transferred_lookup(
    labels: Sequence[str], groups: Sequence[str], new_groups: Sequence[str]
) -> Shaped[np.ndarray, " M"]:
    """Return for each new row the commonest label of its group among the given rows.

    A model could learn this from the groups of its training rows alone. An unknown group gets the commonest label of all
    given rows. Ties are broken as in `lookup_baseline`.
    """
    _same_length(1, labels=labels, groups=groups)
    classes, label_of = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    names, group_of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    counts = np.zeros((len(names) + 1, len(classes)), dtype=np.int64)  # the last row stays zero: unknown groups
    np.add.at(counts, (group_of, label_of), 1)
    row_of = {name: row for row, name in enumerate(names.tolist())}
    rows = np.array([row_of.get(str(group), len(names)) for group in new_groups], dtype=np.int64)
    return classes[np.argmax(counts[rows] * (len(label_of) + 1) + counts.sum(axis=0), axis=1)]


def brightness_baseline(
    labels: Sequence[str], values: Sequence[float] | Float[np.ndarray, " N"], sessions: Sequence[str]
) -> Shaped[np.ndarray, " N"]:
    """Return for each row the commonest label among the rows of other sessions that are nearest in brightness.

    Fifteen neighbours on one axis are flexible enough to show whether brightness predicts the label. The whole session is
    left out, because brightness may identify it.

    Ties in the vote go to the label first in alphabetical order; a tie in distance goes to the earlier row.

    Args:
        values: Value of each row, e.g. mean luma over arc-on frames.

    Raises:
        WeldError: If the lengths differ, a value is not finite, or there are fewer than two sessions.
    """
    _same_length(2, labels=labels, values=values, sessions=sessions)
    label = np.asarray(labels, dtype=str)
    session = np.asarray(sessions, dtype=str)
    value = np.asarray(values, dtype=float)
    if len(np.unique(session)) == 1:
        raise WeldError(
            f"brightness baseline: all rows are of session {str(session[0])!r}; it leaves one out and needs two"
        )
    predicted = np.empty_like(label)
    for held_out in np.unique(session):
        is_out = session == held_out
        predicted[is_out] = transferred_brightness(label[~is_out].tolist(), value[~is_out], value[is_out])
    return predicted


def transferred_brightness(
    labels: Sequence[str], values: Float[np.ndarray, " N"], new_values: Float[np.ndarray, " M"]
) -> Shaped[np.ndarray, " M"]:
    """Return for each new row the commonest label of the 15 given rows nearest in brightness (fewer if fewer exist).

    Raises:
        WeldError: If a value is not finite.
    """
    # scikit-learn takes seconds to import, and most callers of this module do not need it.
    from sklearn.neighbors import KNeighborsClassifier  # noqa: PLC0415

    for array in (values, new_values):
        if not np.isfinite(array).all():
            n_bad = int((~np.isfinite(array)).sum())
            raise WeldError(f"brightness baseline: {n_bad} of {len(array)} values are not finite; leave those rows out")
    # Brute force keeps ties in distance in row order; a tree would not.
    vote = KNeighborsClassifier(n_neighbors=min(N_NEIGHBOURS, len(labels)), algorithm="brute")  # type: ignore[no-untyped-call]
    vote.fit(np.asarray(values, dtype=float)[:, None], np.asarray(labels, dtype=str))
    return np.asarray(vote.predict(np.asarray(new_values, dtype=float)[:, None]))  # type: ignore[no-untyped-call]


def _same_length(least: int, **columns: Sequence[object] | np.ndarray) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise WeldError(f"confound baseline: columns differ in length: {lengths}")
    if min(lengths.values()) < least:
        raise WeldError(f"confound baseline: {min(lengths.values())} row(s); at least {least} are needed")
