"""Parameters of the evaluation."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class EvaluationParams(BaseModel):
    """How predictions are judged; the same for every family."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Literal["train", "valid", "calib", "test"]
    """Which rows are judged. Test is looked at once."""
    level: float = Field(gt=0, lt=1)
    """Of the intervals."""
    n_resamples: int = Field(ge=100)
    """Draws of sessions behind each interval."""
    seed: int = Field(ge=0)
    """Of the draws."""
    min_sessions: int = Field(ge=1)
    """An interval that rests on fewer sessions is marked as one not to rely on."""
    min_samples: int = Field(ge=1)
    """The same for samples."""
    n_bins: int = Field(ge=2)
    """Bins of the reliability plot."""
    n_mistakes: int = Field(ge=0)
    """Mistakes shown with images."""
    n_frames: int = Field(ge=1)
    """Frames of a recording side by side in such an image."""

    def measuring(self) -> dict[str, Any]:
        """Return the arguments of `evaluation.estimates.Protocol`: all but what is chosen and shown."""
        return self.model_dump(exclude={"split", "n_mistakes", "n_frames"})
