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
    """Return a sentence if nothing was calibrated, for want of a calib split, else nothing.

    Args:
        calibration: What was fitted; empty if nothing was.
    """
    if calibration:
        return []
    return ["NOT CALIBRATED: there is no calib split, so there is no p_defect and the verdict follows the class alone."]
