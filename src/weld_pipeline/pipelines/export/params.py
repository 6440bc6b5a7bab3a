"""Typed parameters of `export`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ParityParams(BaseModel):
    """How the exported graph is held against torch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    splits: tuple[Literal["train", "valid", "calib", "test"], ...] = Field(min_length=1)
    """Where the videos come from."""
    n_videos: int = Field(ge=1, le=200)
    """How many, from the file on disk onward; the graph sees all their clips."""
    n_clips: int = Field(ge=1)
    """Clips of each that torch sees too, after each of which everything is compared."""
    p_tolerance: float = Field(gt=0, lt=1)
    """Largest difference of any probability, graph against torch in float32."""
    score_tolerance: float = Field(gt=0)
    """Largest difference of score and anomaly, relative to their size or 1."""
    table_p_tolerance: float = Field(gt=0, lt=1)
    """Largest difference of any probability from the predictions table, whose features may be bfloat16. A class may
    differ only where its lead is below twice this much."""


class ImageParityParams(BaseModel):
    """How the exported graph of an image family is held against torch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    splits: tuple[Literal["train", "valid", "calib", "test"], ...] = Field(min_length=1)
    """Where the images come from: the first of these that holds any."""
    n_images: int = Field(ge=1, le=1000)
    """How many, from the file on disk onward, each seen in the centre and in ten views."""
    p_tolerance: float = Field(gt=0, lt=1)
    """Largest difference of any probability, graph against torch in float32."""
    score_tolerance: float = Field(gt=0)
    """Largest difference of the score, relative to its size or 1."""
    table_p_tolerance: float = Field(gt=0, lt=1)
    """Largest difference of any probability from the predictions table, which is made from stored images, perhaps in
    bfloat16. A class may differ only where its lead is below twice this much."""


class AnomalyParityParams(BaseModel):
    """How the exported graph of an anomaly detector is held against torch. No verdict may differ."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    splits: tuple[Literal["valid", "calib", "test"], ...] = Field(min_length=1)
    """Where the images come from: the first of these that holds any."""
    n_images: int = Field(ge=1, le=1000)
    """How many, from the file on disk onward."""
    score_tolerance: float = Field(gt=0)
    """Largest difference of a score, graph against torch in float32, relative to its size or the threshold's."""
    level_tolerance: float = Field(gt=0)
    """Largest difference of any level of a map, graph against torch, in shares of the range that is coloured."""
    table_score_tolerance: float = Field(gt=0)
    """Largest difference of a score from the predictions table, relative as above."""
    table_p_tolerance: float = Field(gt=0, lt=1)
    """Largest difference of `p_defect` from the same."""
