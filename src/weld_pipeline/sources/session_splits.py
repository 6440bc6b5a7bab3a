"""Session splits: whole sessions are dealt to train, valid, calib and test, with classes balanced."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from weld_pipeline.core.errors import WeldError

_SUM_TOLERANCE = 1e-6
_N_PROPOSALS_PER_GROUP, _MAX_PROPOSALS = 60, 5_000
_N_RESTARTS = 4
# Cost of a split without a row of a class, in units of the squared relative errors summed below: a class is needed in train
# before test, and in test before the others. No split may lack good welds or defective ones, as neither a threshold nor a
# calibration can be chosen on one kind.
_ABSENCE = {"train": 10.0, "test": 3.0, "calib": 0.3, "valid": 0.3}
_ABSENCE_OF_KIND = 8.0


def merge_sessions(sessions: Iterable[str], links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return for each session the name of its group: everything linked to it, directly or by way of others.

    A session without links keeps its name; a group has the name of its first session and the number of the rest.

    >>> merge_sessions(["a", "b", "c"], [("c", "a")])
    {'a': 'a+1', 'b': 'b', 'c': 'a+1'}
    """
    names = sorted(set(sessions))
    row_of = {name: row for row, name in enumerate(names)}
    ends = np.array([(row_of[one], row_of[other]) for one, other in links], dtype=np.int64).reshape(-1, 2)
    graph = coo_array(  # type: ignore[no-untyped-call]  # scipy has no types
        (np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(names), len(names))
    )
    _, component = connected_components(graph, directed=False)
    members: dict[int, list[str]] = {}
    for name, number in zip(names, component.tolist(), strict=True):
        members.setdefault(number, []).append(name)
    title = {number: ms[0] if len(ms) == 1 else f"{ms[0]}+{len(ms) - 1}" for number, ms in members.items()}
    return {name: title[number] for name, number in zip(names, component.tolist(), strict=True)}


def session_components(sessions: Sequence[str], configs: Sequence[str | None]) -> list[str]:
    """Return for each row the connected component of its session, where sessions of one configuration are linked.

    Args:
        configs: Configuration of each row; None links nothing.
    """
    first_of: dict[str, str] = {}
    links = [
        (first_of.setdefault(config, session), session)
        for session, config in zip(sessions, configs, strict=True)
        if config is not None
    ]
    component = merge_sessions(sessions, links)
    return [component[session] for session in sessions]


def assign_splits(
    labels: Sequence[str],
    groups: Sequence[str],
    *,
    is_defect: Sequence[bool],
    fractions: Mapping[str, float],
    seed: int,
    may_train: Sequence[bool] | None = None,
) -> Shaped[np.ndarray, " N"]:
    """Return the split of each row: groups stay whole, and each split gets about the wanted share of every class.

    Groups are dealt from the largest to the smallest, each to the split where it lowers the cost most. Then random moves
    and swaps are kept if they lower it further. The best of a few starts wins. The cost is the squared error of the shares,
    per class and overall, and a penalty for a class that a split lacks, highest for train, then test. So a class of one
    session is in train alone, and a class of two sessions is in train and test.

    A group with a row that may not train goes to another split. Then train gets its share of each class as far as the
    other groups have it, and the other splits share the rest.

    Args:
        groups: Group of each row, e.g. its session; a group stays together.
        fractions: Wanted share of each split; they sum to 1.
        seed: Seed of ties and proposals; the result does not depend on the order of the rows.
        may_train: Whether each row may stand in train; None where all may.

    Raises:
        WeldError: If the fractions do not sum to 1, or leave no split to rows that may not train.
    """
    if abs(sum(fractions.values()) - 1) > _SUM_TOLERANCE or min(fractions.values()) < 0:
        raise WeldError(
            f"split fractions {dict(fractions)} must be at least 0 and sum to 1; mend split.fractions of the ingestion"
        )
    wanted = {split: share for split, share in fractions.items() if share > 0}
    classes, label_of = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    names, group_of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    kinds, kind_of = np.unique(np.asarray(is_defect, dtype=bool), return_inverse=True)
    counts = np.zeros((len(names), len(classes) + len(kinds)))  # a kind is counted like a class
    np.add.at(counts, (group_of, label_of), 1)
    np.add.at(counts, (group_of, len(classes) + kind_of), 1)
    absence = np.full((len(wanted), counts.shape[1]), _ABSENCE_OF_KIND)
    absence[:, : len(classes)] = np.array([_ABSENCE[split] for split in wanted])[:, None]
    cost = _Cost(counts, np.array(list(wanted.values())), absence)
    if may_train is not None and not all(may_train):
        barred = np.zeros(len(names), dtype=bool)
        barred[group_of[~np.asarray(may_train, dtype=bool)]] = True
        cost = _without_training(cost, barred, splits=list(wanted))
    generator = np.random.default_rng(seed)
    tries = [_improve(cost, _deal(cost, generator), generator) for _ in range(_N_RESTARTS if len(names) > 1 else 1)]
    best = min(tries, key=cost.of)
    return np.array(list(wanted))[best][group_of] if len(names) else np.array([], dtype=str)


class _Cost:
    """Distance of a deal of groups from the wanted shares.

    Args:
        counts: Number of rows of each class in each group.
        share: Wanted share of each split.
        absence: Cost of a split without a row of a class.
        class_share: Wanted share of each class in each split; None where it is `share` for every class.
        is_barred: Whether a group may not go to a split; None where all may go to all.
    """

    def __init__(
        self,
        counts: Float[np.ndarray, "G K"],
        share: Float[np.ndarray, " S"],
        absence: Float[np.ndarray, "S K"],
        *,
        class_share: Float[np.ndarray, "S K"] | None = None,
        is_barred: Bool[np.ndarray, "G S"] | None = None,
    ) -> None:
        self.counts = counts
        self.share = share
        self.absence = absence
        self.is_barred = np.zeros((len(counts), len(share)), dtype=bool) if is_barred is None else is_barred
        self._class_share = share[:, None] if class_share is None else class_share
        self._n_of_class = np.maximum(counts.sum(axis=0), 1)
        self._n = max(counts.sum(), 1)

    @property
    def n_splits(self) -> int:
        """Return the number of splits dealt to."""
        return len(self.share)

    def tally(self, deal: Int[np.ndarray, " G"]) -> Float[np.ndarray, "S K"]:
        """Return how many rows of each class each split got; -1 in the deal is not dealt yet."""
        held = np.zeros((self.n_splits, self.counts.shape[1]))
        np.add.at(held, deal[deal >= 0], self.counts[deal >= 0])
        return held

    def of_tallies(self, held: Float[np.ndarray, "C S K"]) -> Float[np.ndarray, " C"]:
        """Return the cost of each of several tallies."""
        per_class = (held / self._n_of_class - self._class_share) ** 2
        overall = (held.sum(axis=-1) / self._n - self.share) ** 2
        absent = ((held == 0) * self.absence).sum(axis=(-1, -2))
        return per_class.sum(axis=(-1, -2)) + self.counts.shape[1] * overall.sum(axis=-1) + absent

    def of_tally(self, held: Float[np.ndarray, "S K"]) -> float:
        """Return the cost of what the splits hold."""
        return float(self.of_tallies(held[None])[0])

    def of(self, deal: Int[np.ndarray, " G"]) -> float:
        """Return the cost of a complete deal."""
        return self.of_tally(self.tally(deal))


def _without_training(cost: _Cost, barred: Bool[np.ndarray, " G"], *, splits: Sequence[str]) -> _Cost:
    """Return the cost where some groups may not train.

    Raises:
        WeldError: If no other split has a share.
    """
    is_train = np.array([split == "train" for split in splits])
    if is_train.all():
        raise WeldError("splits: some rows may not train, and no other split has a share; mend split.fractions")
    n = np.maximum(cost.counts.sum(axis=0), 1)
    in_train = np.minimum(cost.share[is_train].sum(), cost.counts[~barred].sum(axis=0) / n)  # [K]
    elsewhere = cost.share / cost.share[~is_train].sum()
    class_share = np.where(is_train[:, None], in_train, elsewhere[:, None] * (1 - in_train))
    return _Cost(
        cost.counts,
        (class_share * n).sum(axis=1) / n.sum(),
        np.where(is_train[:, None] & (in_train == 0), 0.0, cost.absence),
        class_share=class_share,
        is_barred=barred[:, None] & is_train,
    )


def _deal(cost: _Cost, generator: np.random.Generator) -> Int[np.ndarray, " G"]:
    """Return a first deal, largest group first."""
    deal = np.full(len(cost.counts), -1)
    held = cost.tally(deal)
    size = cost.counts.sum(axis=1)
    for group in np.lexsort((generator.random(len(size)), -size)):
        with_it = held + np.eye(cost.n_splits)[:, :, None] * cost.counts[group]  # [choice, S, K]
        deal[group] = int(np.argmin(np.where(cost.is_barred[group], np.inf, cost.of_tallies(with_it))))
        held[deal[group]] += cost.counts[group]
    return deal


def _improve(cost: _Cost, deal: Int[np.ndarray, " G"], generator: np.random.Generator) -> Int[np.ndarray, " G"]:
    """Return the deal after random moves and swaps, each kept if it lowers the cost."""
    n_groups = len(deal)
    held, best = cost.tally(deal), cost.of(deal)
    for _ in range(min(_N_PROPOSALS_PER_GROUP * n_groups, _MAX_PROPOSALS)):
        one, other = generator.integers(n_groups, size=2)
        home, away = deal[one], deal[other]
        if generator.integers(2):
            away, swapped = generator.integers(cost.n_splits), np.zeros_like(cost.counts[0])
        else:
            swapped = cost.counts[other]
        if home == away or cost.is_barred[one, away] or (swapped.any() and cost.is_barred[other, home]):
            continue
        proposal = held.copy()
        proposal[home] += swapped - cost.counts[one]
        proposal[away] += cost.counts[one] - swapped
        if (price := cost.of_tally(proposal)) < best:
            held, best = proposal, price
            deal[one] = away
            if swapped.any():
                deal[other] = home
    return deal
