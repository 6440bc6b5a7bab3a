"""Thresholds: from which score on an image fails, and what that promises. Chosen on calib; test never takes part.

References:
    [1] V. Vovk, A. Gammerman, G. Shafer, "Algorithmic learning in a random world", 2005, section 4.1.
    [2] V. Vovk, "Conditional validity of inductive conformal predictors", ACML 2012, section 3.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any, Literal

import numpy as np
from scipy.special import betaincinv

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.shapes import Bool, Float
from weld_pipeline.decision.calibration import fit_platt
from weld_pipeline.decision.policy import Calibrator, Decision, Platt, ScorePolicy
from weld_pipeline.evaluation.anomaly.image_metrics import check_scores, f1_max
from weld_pipeline.evaluation.anomaly.score_histogram import ScoreHistogram, bins_of
from weld_pipeline.media.heatmaps import MapRange

_CONFIDENCE = 0.95
_ENOUGH = 10  # images of a kind, as many as an evaluation wants before it relies on an interval


def choose_threshold(
    scores: Float[np.ndarray, " N"],
    is_defect: Bool[np.ndarray, " N"],
    *,
    kind: Literal["auto", "f1", "conformal"],
    false_reject_rate: float,
    split: Literal["calib", "valid"],
    session: Sequence[str] | None = None,
    tiles_per_image: int | None = None,
) -> Decision:
    """Return from which score on an image fails, and where it can be said the probability of a defect.

    `f1` takes the threshold with the best F1 on these images, in the middle between the two scores it divides.
    `conformal` needs good images alone: of n of them the ⌈(n + 1)(1 − α)⌉-th smallest score is the last that passes [1].

    Args:
        scores: Of the calib split; higher is worse.
        kind: `auto` is f1 where there are ten images of each kind, else conformal with the α asked for, or the least
            that so few good images can promise: an F1 of fewer is chance, and where nearly all are defective it is
            best with a threshold that rejects the few good ones.
        false_reject_rate: α, in (0, 1): the share of good images that may fail; f1 ignores it.
        session: Session of each image; said in the promise where images share one.
        tiles_per_image: T, where the scores are of tiles, any of which makes its image fail: each then gets α/T. None
            where they are of images.

    Raises:
        WeldError: If there is no good image, a score is not finite, f1 is asked for without both kinds, or α is less
            than the good images allow.
    """
    check_scores(scores)
    calib = _Calib(scores, is_defect, split, session, tiles_per_image)
    if not calib.n_good:
        raise WeldError(
            f"threshold: none of the {calib.n_defect} calib {calib.unit}s is good; put good ones into calib"
        )
    chosen = ("f1" if calib.has_enough else "conformal") if kind == "auto" else kind
    if chosen == "f1":
        return _by_f1(calib)
    return _by_conformal(calib, rate=false_reject_rate, or_least=kind == "auto")


@dataclass(frozen=True)
class _Calib:
    """What a threshold is chosen on."""

    scores: Float[np.ndarray, " N"]
    is_defect: Bool[np.ndarray, " N"]
    split: Literal["calib", "valid"]
    session: Sequence[str] | None
    tiles_per_image: int | None

    @property
    def unit(self) -> Literal["image", "tile"]:
        return "image" if self.tiles_per_image is None else "tile"

    @property
    def n_defect(self) -> int:
        return int(self.is_defect.sum())

    @property
    def n_good(self) -> int:
        return len(self.scores) - self.n_defect

    @property
    def has_enough(self) -> bool:
        return min(self.n_good, self.n_defect) >= _ENOUGH

    @property
    def n_good_sessions(self) -> int | None:
        if self.session is None:
            return None
        return len(set(np.asarray(self.session, dtype=str)[~self.is_defect].tolist()))

    def probability(self) -> tuple[Platt | None, str | None]:
        """Return the way from a score to a probability, or why there is none."""
        if self.unit == "tile":
            return None, "its threshold was chosen on tiles, whose probabilities are not those of images"
        if not self.has_enough:
            held = f"{self.n_good} good and {self.n_defect} defective images"
            return None, f"calib holds {held}, {_ENOUGH} of each are needed"
        platt = fit_platt(self.scores, self.is_defect)
        if not platt.a < 0:
            return None, "the defective images of calib score no higher than its good ones"
        return platt, None

    def decision(self, threshold: float, chosen_by: Literal["f1", "conformal"], **promised: Any) -> Decision:
        """Return the decision by a threshold on the score, with what is promised of it."""
        platt, reason = self.probability()
        return Decision(
            calibrator=Calibrator(
                temperature=None,
                platt=platt,
                no_probability=reason,
                split=self.split,
                n_good=self.n_good,
                n_defect=self.n_defect,
            ),
            policy=ScorePolicy(
                kind="score",
                threshold=threshold,
                chosen_by=chosen_by,
                unit=self.unit,
                n_good_sessions=self.n_good_sessions,
                **promised,
            ),
        )


def least_rate(n_good: int) -> float:
    """Return the lowest false-reject rate that so many good images can promise, 1/(n + 1), rounded up to four digits."""
    return ceil(10_000 / (n_good + 1)) / 10_000


def map_range(good_maps: Iterable[Float[np.ndarray, "H W"]], *, share: float = 0.1) -> MapRange:
    """Return how to colour maps, from those of good calib images; memory does not grow with them.

    Args:
        share: Of good images that may show a contour somewhere, at most, as far as their number allows.

    Raises:
        WeldError: If there is no map, or one is not finite.
    """
    histogram, hottest = ScoreHistogram(np.int64), []
    for number, anomaly_map in enumerate(good_maps):
        if not np.isfinite(anomaly_map).all():
            raise WeldError(f"map range: good map {number} is not finite; fit the detector again")
        histogram.add(bins_of(anomaly_map).ravel())
        hottest.append(float(anomaly_map.max()))
    if not hottest:
        raise WeldError("map range: no map of a good calib image; put good images into calib")
    low = histogram.quantile(0.5)
    last = sorted(hottest)[min(len(hottest), len(hottest) + 1 - int((len(hottest) + 1) * share)) - 1]
    # Maps that are all alike have no range; one step of their numbers keeps the colours defined.
    threshold = _next_above(max(last, low))
    return MapRange(low=low, threshold=threshold, high=max(2 * threshold - low, _next_above(threshold)))


def _by_f1(calib: _Calib) -> Decision:
    if not calib.n_defect:
        raise WeldError(
            f"threshold: f1 needs defective {calib.unit}s and calib holds {calib.n_good} good ones only; set the kind to "
            "conformal"
        )
    value, f1 = _between(calib.scores, calib.is_defect)
    few = f", with {calib.n_defect} defective ones a rough guess" if calib.n_defect < _ENOUGH else ""
    tiles = "; an image fails if any of its tiles does" if calib.unit == "tile" else ""
    return calib.decision(
        value,
        "f1",
        false_reject_rate=None,
        false_reject_rate_95=None,
        calib_f1=f1,
        promise=f"F1 {f1:.3f} on the {calib.n_good} good and {calib.n_defect} defective calib {calib.unit}s it was chosen "
        f"on, an upper bound{few}{tiles}; nothing is promised of false rejects or of escapes.",
    )


def _by_conformal(calib: _Calib, *, rate: float, or_least: bool) -> Decision:
    if not 0 < rate < 1:
        raise WeldError(f"threshold: false_reject_rate {rate} is no share between 0 and 1; set it to e.g. 0.05")
    good, n_parts = calib.scores[~calib.is_defect], calib.tiles_per_image or 1
    exact = Fraction(str(rate)) / n_parts  # 0.29 · 100 is 28.999999999999996 in binary
    if or_least:
        exact = max(exact, Fraction(str(least_rate(len(good)))))
    n_above = _n_above(calib, exact, n_parts)
    value = _next_above(float(np.sort(good)[len(good) - n_above]))
    # With this threshold the rate of all good units is distributed as Beta(n_above, n + 1 − n_above) [2].
    upper = float(betaincinv(n_above, len(good) + 1 - n_above, _CONFIDENCE))
    promised = [min(1.0, n_parts * each) for each in (float(exact), upper)]
    fails = calib.scores >= value
    n_right = int((fails & calib.is_defect).sum())
    return calib.decision(
        value,
        "conformal",
        false_reject_rate=promised[0],
        false_reject_rate_95=promised[1],
        calib_f1=2 * n_right / (int(fails.sum()) + calib.n_defect) if calib.n_defect else None,
        promise=_conformal_promise(calib, *promised),
    )


def _n_above(calib: _Calib, rate: Fraction, n_parts: int) -> int:
    """Return how many of n + 1 good ones may fail: ⌊(n + 1)α⌋, so that (n + 1) minus it is ⌈(n + 1)(1 − α)⌉."""
    n = calib.n_good
    if n_above := int((n + 1) * rate):
        return n_above
    tiles = f" of images of {n_parts} tiles" if calib.unit == "tile" else ""
    raise WeldError(
        f"threshold: a false-reject rate of {float(rate * n_parts):g}{tiles} needs {ceil(1 / rate) - 1} good calib "
        f"{calib.unit}s; there are {n}, which can promise {min(1.0, n_parts * least_rate(n)):g} at best; give it more, or set "
        "false_reject_rate to that or above"
    )


def _next_above(value: float) -> float:
    """Return the next float32: the score itself must pass, or ties would break the promise."""
    return float(np.nextafter(np.float32(value), np.float32(np.inf)))


def _between(scores: Float[np.ndarray, " N"], is_defect: Bool[np.ndarray, " N"]) -> tuple[float, float]:
    """Return the middle between the lowest score that fails at the best F1 and the one below it, and that F1.

    In the middle, a rounding of the exported graph turns over no calib image.
    """
    best, lowest = (float(values[0]) for values in f1_max(scores, is_defect, np.ones((1, len(scores)))))
    passing = scores[scores < lowest]
    return (lowest if not len(passing) else (lowest + float(passing.max())) / 2), best


def _conformal_promise(calib: _Calib, rate: float, upper: float) -> str:
    n_sessions, shared = calib.n_good_sessions, ""
    if n_sessions is not None and n_sessions < calib.n_good:
        shared = f"; they come from {n_sessions} session(s), so that it may not hold in another: {calib.unit}s of one are alike"
    tiles = f" of {calib.tiles_per_image} tiles, each as good as theirs," if calib.unit == "tile" else ""
    return (
        f"On average at most {rate:.3g} of good images{tiles} fail, and with 95 % confidence at most {upper:.3g} by this one "
        f"threshold, if they are exchangeable with the {calib.n_good} good calib {calib.unit}s{shared}; nothing is promised of "
        "escapes."
    )
