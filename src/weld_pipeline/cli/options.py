"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

BundleOption = Annotated[Path, typer.Option("--bundle", metavar="DIR", help="Bundle folder, as exported.")]
BundleArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Bundle folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else there.")]
SpeedOption = Annotated[
    float | None,
    typer.Option("--travel-speed-cpm", metavar="CPM", help="Travel speed of the torch in cm/min, for positions in mm."),
]
ThreadsOption = Annotated[int, typer.Option("--threads", min=0, help="Threads of the network; 0: one a core.")]
EngineOption = Annotated[
    Literal["onnxruntime", "openvino"],
    typer.Option("--engine", help="Images: openvino is often a tenth faster, and a second slower to start."),
]
