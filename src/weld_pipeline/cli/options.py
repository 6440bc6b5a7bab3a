"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from weld_pipeline import runtime
from weld_pipeline.engines.session import Engine

BundleOption = Annotated[Path, typer.Option("--bundle", metavar="DIR", help="Bundle folder, as exported.")]
BundleArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Bundle folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else there.")]
SpeedOption = Annotated[
    float | None,
    typer.Option("--travel-speed-cpm", metavar="CPM", help="Travel speed of the torch in cm/min, for positions in mm."),
]
ThreadsOption = Annotated[int, typer.Option("--threads", min=0, help="Threads of the network; 0: one a core.")]
EngineOption = Annotated[
    Engine,
    typer.Option("--engine", help="What runs the network: openvino is often faster, and a second slower to start."),
]


def travel_mm_s(speed_cpm: float | None) -> float | None:
    """Return the travel speed [mm/s], if one was given.

    Raises:
        WeldError: If it is not above zero.
    """
    return None if speed_cpm is None else runtime.video.travel_speed.cpm_to_mm_s(speed_cpm)
