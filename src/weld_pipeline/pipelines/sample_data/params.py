"""Parameters of `sample_data`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from weld_pipeline.pipelines.params import Params

# Each is a namespace, as the recipe that reads it.
ImageLayout = Literal["tig_ss304", "tig_al5083", "weld_photos", "riawelc", "neu", "weld_boxes"]
Seconds = Annotated[float, Field(ge=0, le=120)]


class PlanWeldShopParams(Params):
    """What the shop holds."""

    n_good: int = Field(ge=0, le=2000)
    """Number of good welds."""
    n_per_defect: int = Field(ge=0, le=500)
    """Number of welds of each of the eleven defects."""
    n_sessions: int = Field(ge=1, le=60)
    """Number of recording dates."""
    confounded: bool
    """If true a session holds almost one class, so that the date gives the label away and the audit must say so."""
    lead_s: tuple[Seconds, Seconds]
    """Shortest and longest dark time before and after the arc [s]."""
    arc_s: tuple[Annotated[float, Field(ge=0.2, le=120)], Annotated[float, Field(ge=0.2, le=120)]]
    """Shortest and longest time the arc burns [s]."""
    handwritten_share: float = Field(ge=0, le=1)
    """Share of paper labels written by hand."""
    width: int = Field(ge=160, le=1920, multiple_of=32)
    """Frame width [px]; the height is 5/8 of it."""
    still_width: int = Field(ge=400, le=4000, multiple_of=40)
    """Width of the photographs [px]; the height is 9/20 of it."""
    seed: int = Field(ge=0)
    """Seed of everything drawn."""

    @model_validator(mode="after")
    def _ranges_ascend(self) -> "PlanWeldShopParams":
        for name in ("lead_s", "arc_s"):
            shortest, longest = getattr(self, name)
            if shortest > longest:
                raise ValueError(
                    f"{name}: the shortest time {shortest} s is longer than the longest {longest} s; swap them"
                )
        return self


class DrawWeldShopParams(Params):
    """How the shop is drawn."""

    n_workers: int = Field(ge=1, le=64)
    """Processes to draw on; the files do not depend on it."""


class PlanImagesParams(Params):
    """What a drawn data set of images holds."""

    layout: ImageLayout
    """Whose folders, names and classes are drawn."""
    n_sessions_per_class: int = Field(ge=3, le=200)
    """Weld runs, plates, films, coils or videos of each class; four splits by session want at least four."""
    n_per_session: int = Field(ge=1, le=200)
    """Images of each."""
    written_share: float = Field(ge=0, le=1)
    """Share of sessions with writing in their images, the same for each class; 0 where a layout has none."""
    width: int = Field(ge=96, le=1280)
    """Width of an image [px]."""
    seed: int = Field(ge=0)
    """Seed of everything drawn."""

    @model_validator(mode="after")
    def _writing_is_possible(self) -> "PlanImagesParams":
        if self.written_share > 0 and self.layout in ("riawelc", "neu"):
            raise ValueError(
                f"written_share: {self.written_share} for {self.layout}, which has no writing; set it to 0"
            )
        return self


class PlanWeldSeamsParams(Params):
    """What the drawn weld seams with masks hold."""

    n_train_good: int = Field(ge=1, le=5000)
    """Photographs of good seams to fit on."""
    n_test_good: int = Field(ge=0, le=1000)
    """Photographs of good seams in test."""
    n_per_defect: int = Field(ge=0, le=200)
    """Photographs of each of the five defects, each with its mask."""
    width: int = Field(ge=96, le=1280)
    """Width and height of a photograph [px]."""
    seed: int = Field(ge=0)
    """Seed of everything drawn; another one is another line of production: steel, process, light."""


class DrawImagesParams(Params):
    """How images are drawn."""

    n_workers: int = Field(ge=1, le=64)
    """Processes to draw on; the files do not depend on it."""
