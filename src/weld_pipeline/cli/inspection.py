"""`weld inspect`: say pass or fail of what is finished."""

from pathlib import Path
from typing import Annotated

import typer

from weld_pipeline import runtime
from weld_pipeline.cli.options import BundleOption, EngineOption, JsonOption, SpeedOption, ThreadsOption, travel_mm_s
from weld_pipeline.cli.output import print_json, print_rich
from weld_pipeline.core.progress import track
from weld_pipeline.runtime.verdicts import NotInspected


def inspect(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Files, folders, or quoted patterns; - reads one image from stdin."),
    ],
    bundle: BundleOption,
    *,
    as_json: JsonOption = False,
    tta: Annotated[
        bool | None,
        typer.Option(
            "--tta/--no-tta",
            help="Classifiers of images: let ten views vote, or the centre decide; by default what the bundle was measured with.",
            show_default=False,
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store",
            metavar="DIR",
            help="Keep each verdict as a JSON file here, and an anomaly detector's map over the image.",
        ),
    ] = None,
    max_pixels: Annotated[
        int | None,
        typer.Option(
            "--max-pixels", min=1, help="Images: refuse larger ones before they are decoded.  [default: 50,000,000]"
        ),
    ] = None,
    travel_speed_cpm: SpeedOption = None,
    threads: ThreadsOption = 0,
    engine: EngineOption = "onnxruntime",
) -> None:
    """Say pass or fail of finished videos, and where along the bead to look; or of images. The bundle decides which.

    Positions in mm need the travel speed: from --travel-speed-cpm, or from the manifest.csv above the video.
    A stored verdict is <name>_<UTC timestamp>.json. A classifier's has the class and the probability of each; an anomaly
    detector's has the score and what to look at, and <name>_<UTC timestamp>_overlay.png lies beside it.

    Exit code: 0 every input got a verdict, pass or fail, which the output tells; 2 some input could not be inspected.
    """
    inspector = runtime.open_inspector(
        bundle,
        engine=engine,
        n_threads=threads,
        tta=tta,
        max_pixels=max_pixels,
        travel_mm_s=travel_mm_s(travel_speed_cpm),
    )
    inputs = inspector.find(paths)
    results = []
    for result in track(inspector.inspect_each(inputs), label="inspecting", total=len(inputs)):
        if store is not None and not isinstance(result, NotInspected):
            inspector.store(store, result)
        results.append(result.compact())
    if as_json:
        print_json({"bundle": inspector.bundle.identity(), "verdicts": [result.to_json() for result in results]})
    else:
        print_rich(inspector.table(results))
    if any(isinstance(result, NotInspected) for result in results):
        raise typer.Exit(2)
