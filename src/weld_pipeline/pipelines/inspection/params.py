"""Typed parameters of `inspection`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class InspectionParams(BaseModel):
    """Which videos are inspected, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    splits: tuple[Literal["train", "valid", "calib", "test"], ...] = Field(min_length=1)
    """Where the videos come from."""
    n_videos: int = Field(ge=1, le=200)
    """How many: a good weld first, then one of each defect in turn."""
    n_threads: int = Field(ge=0, le=256)
    """Threads of the network; 0 takes one a core."""


class ImageInspectionParams(BaseModel):
    """Which images are inspected and timed, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    splits: tuple[Literal["train", "valid", "calib", "test"], ...] = Field(min_length=1)
    """Where the images come from: the first of these that holds any."""
    n_images: int = Field(ge=1, le=1000)
    """How many are inspected: a good weld first, then one of each defect in turn."""
    n_timed: int = Field(ge=1, le=10_000)
    """How many are drawn at random to be timed; all where there are fewer."""
    n_threads: int = Field(ge=0, le=256)
    """Threads of the network; 0 takes one a core."""
    seed: int = Field(ge=0)
    """Of the draw."""
