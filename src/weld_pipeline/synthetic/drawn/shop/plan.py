"""Shop plan: the welds of a drawn shop by class, session, configuration and set-up."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.synthetic.drawn.shop.welds import CLASSES, DrawnWeld

MANIFEST_COLUMNS = (
    "CATEGORY", "WELD_TYPE", "THICKNESS_MM", "STEEL_TYPE", "SAMPLES", "CURRENT_A", "VOLTAGE_V", "GAS_BAR",
    "ROBOT_SPEED_CPM", "DIRECTORY", "SUBDIRS", "SPLIT",
)  # fmt: skip
_FIRST_DAY = date(2022, 9, 5)
_DAYS_BETWEEN_SESSIONS = 12
_THICKNESSES_MM = (7, 3)
# Joint, steel, thickness: every combination, so that none of them gives the others away.
_SETUPS = tuple(
    (joint, steel, thickness)
    for thickness in _THICKNESSES_MM
    for joint in ("butt", "fillet", "plane_plate")
    for steel in ("FE410", "BSK46")
)
# One run in twenty-eight strays from its session's class where the shop is confounded, as in the data set itself.
_STRAY_EVERY = 28
# 43 % of the runs of the data set are TEST, drawn without regard to sessions.
_TEST_SHARE = 0.43


def plan_shop(
    *,
    n_good: int,
    n_per_defect: int,
    n_sessions: int,
    confounded: bool,
    lead_s: tuple[float, float],
    arc_s: tuple[float, float],
    handwritten_share: float,
    width: int,
    still_width: int,
    seed: int,
) -> list[DrawnWeld]:
    """Return the runs of a shop, ordered by id.

    Args:
        n_sessions: Number of recording dates; each is held in one configuration, most configurations in one or two.
        confounded: If true, a session holds almost one class, so that the date gives the label away.
        lead_s: Shortest and longest dark time before and after the arc [s].
        arc_s: Shortest and longest time the arc burns [s].
        handwritten_share: Share of labels written by hand, 0..1.

    Raises:
        WeldError: If no run would be drawn.
    """
    labels = ["Good"] * n_good + [name for name in CLASSES[1:] for _ in range(n_per_defect)]
    if not labels:
        raise WeldError("sample_data: n_good and n_per_defect are both 0, so nothing would be drawn; raise one of them")
    rng = np.random.default_rng([seed, 1])
    sessions = _sessions_confounded(labels, n_sessions, rng) if confounded else _sessions_mixed(labels, n_sessions, rng)
    splits = _splits(labels, rng)
    n_in_session = [0] * n_sessions
    welds = []
    for number in rng.permutation(len(labels)):
        session = sessions[number]
        n_in_session[session] += 1
        day = (_FIRST_DAY + timedelta(days=_DAYS_BETWEEN_SESSIONS * session)).strftime("%m-%d-%y")
        joint, steel, thickness = _SETUPS[session % len(_SETUPS)]
        is_thin = thickness < max(_THICKNESSES_MM)
        welds.append(
            DrawnWeld(
                run_id=f"{day}-{n_in_session[session]:04d}-{CLASSES.index(labels[number]):02d}",
                label=labels[number],
                session=day,
                configuration=f"weld_{session % len(_SETUPS) + 1}_{joint}_{thickness}mm_{steel}",
                joint=joint,
                steel=steel,
                thickness_mm=thickness,
                current_a=int(rng.integers(30, 35) * 5 - 30 * is_thin),
                voltage_v=float(rng.integers(38, 45) / 2 - 2 * is_thin),
                gas_bar=float(rng.choice((4.0, 4.5))),
                speed_cpm=int(rng.integers(24, 33)),
                split=splits[number],
                lead_in_s=round(float(rng.uniform(*lead_s)), 3),
                arc_s=round(float(rng.uniform(*arc_s)), 3),
                lead_out_s=round(float(rng.uniform(*lead_s)), 3),
                is_handwritten=bool(rng.random() < handwritten_share),
                width=width,
                still_width=still_width,
                seed=seed,
            )
        )
    return sorted(welds, key=lambda weld: weld.run_id)


def _sessions_mixed(labels: list[str], n_sessions: int, rng: np.random.Generator) -> list[int]:
    """Return a session for each run: a class visits as many sessions as it has runs, the emptier ones first."""
    n_runs = np.zeros(n_sessions)
    visits: dict[str, list[int]] = {}
    sessions = []
    for label in labels:
        ahead = visits.setdefault(label, [])
        if not ahead:
            ahead.extend(np.argsort(n_runs + rng.uniform(0, 2, n_sessions))[::-1].tolist())
        session = ahead.pop()
        n_runs[session] += 1
        sessions.append(session)
    return sessions


def _sessions_confounded(labels: list[str], n_sessions: int, rng: np.random.Generator) -> list[int]:
    """Return a session for each run: classes in blocks, but for a few strays."""
    sessions = [number * n_sessions // len(labels) for number in range(len(labels))]
    strays = rng.permutation(len(labels))[: len(labels) // _STRAY_EVERY]
    for one, other in zip(strays, np.roll(strays, 1), strict=True):
        sessions[one] = int(other) * n_sessions // len(labels)
    return sessions


def _splits(labels: list[str], rng: np.random.Generator) -> list[str]:
    """Return TRAIN or TEST for each run, the same share of each class."""
    splits = ["TRAIN"] * len(labels)
    for name in dict.fromkeys(labels):
        members = rng.permutation([number for number, label in enumerate(labels) if label == name])
        for number in members[: round(_TEST_SHARE * len(members))]:
            splits[number] = "TEST"
    return splits


def manifest(welds: list[DrawnWeld]) -> pd.DataFrame:
    """Return `manifest.csv` of the shop, its twelve columns named and valued as in the data set's."""
    n_samples = pd.Series([weld.configuration for weld in welds]).value_counts()
    rows = [
        (
            weld.label,
            "FILLET" if weld.joint == "fillet" else "NON_FILLET",
            weld.thickness_mm,
            weld.steel,
            int(n_samples[weld.configuration]),
            weld.current_a,
            weld.voltage_v,
            weld.gas_bar,
            weld.speed_cpm,
            weld.configuration,
            weld.folder,
            weld.split,
        )
        for weld in welds
    ]
    return pd.DataFrame(rows, columns=list(MANIFEST_COLUMNS))
