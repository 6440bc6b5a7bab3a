"""What must be said wherever a number is shown."""

from collections.abc import Mapping
from typing import Any


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


def calibration_banner(calibration: Mapping[str, Any]) -> list[str]:
    """Return a sentence if there is no calibrated probability, else nothing.

    Args:
        calibration: What was fitted on calib: empty if there was none. Of a detector, `threshold` is None where there is a
            threshold on the score, whose `promise` is then said, but no probability, for the reason `no_probability`; and
            `split` is valid where it was chosen there.
    """
    if not calibration:
        return [
            "NOT CALIBRATED: there is no calib split, so there is no p_defect and the verdict follows the class alone."
        ]
    said = []
    if calibration.get("split") == "valid":
        said = [
            "THRESHOLD ON VALID: there is no calib split, so the threshold was chosen where epochs were; expect worse."
        ]
    if calibration["threshold"] is None:
        said += [
            f"NO PROBABILITY: there is no p_defect, because {calibration['no_probability']}. {calibration['promise']}"
        ]
    return said


def fit_banner(check: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each thing that is wrong with a fitted model, else nothing.

    Args:
        check: `is_collapsed` and, if so, `reasons`.
    """
    return [f"COLLAPSED: {reason}" for reason in check["reasons"]] if check["is_collapsed"] else []
