"""Banners: what must be said wherever a number is shown."""

from collections.abc import Mapping
from typing import Any

from weld_pipeline.decision.policy import Decision


def weights_banner(weights: Mapping[str, Any]) -> list[str]:
    """Return a sentence if a network began with random weights, else nothing.

    Args:
        weights: Record of the weights: `name`, `is_random`.
    """
    if not weights["is_random"]:
        return []
    return [
        f"RANDOM WEIGHTS: {weights['name']} had learnt nothing before; with pretrained weights the scores would differ."
    ]


def decision_banner(decision: Decision) -> list[str]:
    """Return what is missing between score and probability: no calib split, a threshold chosen on valid, no probability."""
    calibrator, policy = decision.calibrator, decision.policy
    if calibrator is None:
        return [
            "NOT CALIBRATED: there is no calib split, so there is no p_defect and the verdict follows the class alone."
        ]
    banners = []
    if calibrator.split == "valid":
        banners.append(
            "THRESHOLD ON VALID: there is no calib split, so the threshold was chosen where epochs were; expect worse."
        )
    if calibrator.platt is None:
        promise = f" {policy.promise}" if policy.kind == "score" else ""
        banners.append(f"NO PROBABILITY: there is no p_defect, because {calibrator.no_probability}.{promise}")
    return banners


def fit_banner(check: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each thing that is wrong with a fitted model, else nothing.

    Args:
        check: `is_collapsed` and, if so, `reasons`.
    """
    return [f"COLLAPSED: {reason}" for reason in check["reasons"]] if check["is_collapsed"] else []
