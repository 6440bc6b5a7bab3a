"""Detectors by kind: a saved one restored."""

from collections.abc import Callable
from typing import Any

from torch import nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.anomaly.patchcore.model import restore_patchcore
from weld_pipeline.nn.anomaly.reference.model import restore_reference
from weld_pipeline.nn.anomaly.student_teacher.model import restore_student_teacher

_RESTORE: dict[str, Callable[[SavedModel], Any]] = {
    "patchcore": restore_patchcore,
    "student_teacher": restore_student_teacher,
    "reference": restore_reference,
}


def restore_detector(model: SavedModel) -> nn.Module:
    """Return the network of a saved detector: normalised images [B, 3, S, S] → score [B], anomaly map [B, S, S].

    Raises:
        WeldError: If the model is no detector.
    """
    if model.family not in _RESTORE:
        raise WeldError(
            f"model of family {model.family!r} is no anomaly detector; give a model of one of {sorted(_RESTORE)}"
        )
    return _RESTORE[model.family](model)
