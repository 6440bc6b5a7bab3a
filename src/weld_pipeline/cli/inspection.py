"""`weld inspect` and `weld live`: say pass or fail, of what is finished and of what is being made."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weld_pipeline import core, media, runtime
from weld_pipeline.cli.options import BundleOption, EngineOption, JsonOption, SpeedOption, ThreadsOption
from weld_pipeline.cli.output import print_json, print_json_line, print_rich
from weld_pipeline.core.errors import WeldError

if TYPE_CHECKING:
    from weld_pipeline.runtime.anomaly.inspector import WeldDetector
    from weld_pipeline.runtime.anomaly.verdict import AnomalyVerdict
    from weld_pipeline.runtime.bundle import Bundle
    from weld_pipeline.runtime.image.inspector import WeldClassifier
    from weld_pipeline.runtime.image_reader import ImageBytes
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
            help="Images: keep each verdict as a JSON file here, and an anomaly detector's map over the image.",
        ),
    ] = None,
    travel_speed_cpm: SpeedOption = None,
    threads: ThreadsOption = 0,
    engine: EngineOption = "onnxruntime",
) -> None:
    """Say pass or fail of finished videos, and where along the bead to look; or of images. The bundle decides which.

    Positions in mm need the travel speed: from --travel-speed-cpm, or from the manifest.csv above the video.
    A stored verdict is <image>_<UTC timestamp>.json. A classifier's has the class and the probability of each; an anomaly
    detector's has the score and what to look at, and <image>_<UTC timestamp>_overlay.png lies beside it.

    Exit code: 0 every input got a verdict, pass or fail, which the output tells; 2 some input could not be inspected.
    """
    opened = runtime.bundle.load_bundle(bundle)
    contract = opened.description.input
    if contract.media == "image" and travel_speed_cpm is not None:
        raise WeldError(f"--travel-speed-cpm is for videos; bundle {bundle} inspects images: leave it out")
    if contract.contract == "views":
        classifier = runtime.image.inspector.WeldClassifier(opened, tta=tta, n_threads=threads, engine=engine)
        is_complete = _inspect_images(classifier, paths, store=store, as_json=as_json)
    elif contract.contract == "anomaly_map":
        if tta is not None:
            raise WeldError(f"--tta is for classifiers; bundle {bundle} finds anomalies: leave it out")
        detector = runtime.anomaly.inspector.WeldDetector(opened, n_threads=threads, engine=engine)
        is_complete = _find_anomalies(detector, paths, store=store, as_json=as_json)
    else:
        if tta is not None or store is not None or engine != "onnxruntime":
            raise WeldError(
                f"--tta, --store and --engine are for images; bundle {bundle} inspects videos: leave them out"
            )
        is_complete = _inspect_videos(opened, paths, speed_cpm=travel_speed_cpm, as_json=as_json, threads=threads)
    if not is_complete:
        raise typer.Exit(2)


def _inspect_videos(
    bundle: "Bundle", paths: list[Path], *, speed_cpm: float | None, as_json: bool, threads: int
) -> bool:
    """Return whether every video got a verdict."""
    speed = None if speed_cpm is None else runtime.video.travel_speed.cpm_to_mm_s(speed_cpm)
    inspector = runtime.video.inspector.VideoInspector(bundle, n_threads=threads)
    videos = runtime.find_files.find_files(paths, suffixes=runtime.video.inspector.VIDEO_SUFFIXES, what="video")
    verdicts = runtime.video.inspector.inspect_videos(inspector, videos, travel_mm_s=speed)
    results = list(core.progress.track(verdicts, label="inspecting", total=len(videos)))
    if as_json:
        print_json({"bundle": bundle.identity(), "videos": [result.to_json() for result in results]})
    else:
        print_rich(runtime.video.table.verdict_table(results, bundle))
    return not any(isinstance(result, runtime.verdicts.NotInspected) for result in results)


def _inspect_images(classifier: "WeldClassifier", paths: list[Path], *, store: Path | None, as_json: bool) -> bool:
    """Return whether every image got a verdict."""
    bundle, images = classifier.bundle, _images(paths)
    results = []
    for result in core.progress.track(classifier.predict_each(images), label="inspecting", total=len(images)):
        results.append(result)
        if store is not None and not isinstance(result, runtime.verdicts.NotInspected):
            runtime.records.store_verdict(store, result, bundle)
    if as_json:
        print_json({"bundle": bundle.identity(), "images": [result.to_json() for result in results]})
    else:
        print_rich(runtime.image.table.image_table(results, bundle))
    return not any(isinstance(result, runtime.verdicts.NotInspected) for result in results)


def _find_anomalies(detector: "WeldDetector", paths: list[Path], *, store: Path | None, as_json: bool) -> bool:
    """Return whether every image got a verdict."""
    bundle, images = detector.bundle, _images(paths)
    results: list[AnomalyVerdict | runtime.verdicts.NotInspected] = []
    for result in core.progress.track(detector.inspect_with_pixels(images), label="inspecting", total=len(images)):
        if isinstance(result, runtime.verdicts.NotInspected):
            results.append(result)
            continue
        found, verdict = result
        if store is not None:
            runtime.records.store_anomaly(store, found, verdict, bundle)
        results.append(verdict.without_map())
    if as_json:
        print_json({"bundle": bundle.identity(), "images": [result.to_json() for result in results]})
    else:
        print_rich(runtime.anomaly.table.anomaly_table(results, bundle))
    return not any(isinstance(result, runtime.verdicts.NotInspected) for result in results)


def _images(paths: list[Path]) -> "list[Path | ImageBytes | NotInspected]":
    """Return the images that were meant; `-` is one from stdin, which comes first."""
    named = runtime.find_files.find_files(
        [path for path in paths if path != Path("-")], suffixes=media.images.IMAGE_SUFFIXES, what="image"
    )
    piped = [runtime.image_reader.ImageBytes("stdin", sys.stdin.buffer.read())] if Path("-") in paths else []
    return [*piped, *named]


def live(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="File, camera number, /dev/video0, URL, or FFMPEG_FORMAT:NAME.")
    ],
    bundle: BundleOption,
    *,
    as_json: JsonOption = False,
    pace: Annotated[bool, typer.Option("--pace", help="Play a file at its own speed, as if it were a camera.")] = False,
    travel_speed_cpm: SpeedOption = None,
    threads: ThreadsOption = 0,
) -> None:
    """Inspect a file or a camera as it comes: a line a clip, the verdict at the end or on Ctrl-C.

    A camera does not wait: where the network is too slow, whole clips are dropped, the oldest first, and counted.
    A file waits, unless --pace is given. The real-time factor is seconds of network per second of arc-on video.

    Exit code: 0 the verdict was given; 2 the source could not be read to its end.
    """
    speed = None if travel_speed_cpm is None else runtime.video.travel_speed.cpm_to_mm_s(travel_speed_cpm)
    inspector = runtime.video.inspector.VideoInspector(runtime.bundle.load_bundle(bundle), n_threads=threads)
    banners = inspector.bundle.description.banners
    print_json_line({"event": "start", **inspector.bundle.identity()}) if as_json else print_rich(
        *runtime.styles.banner_lines(banners)
    )
    with runtime.video.live.LiveInspection(
        inspector, media.camera.open_source(source), is_paced=pace, travel_mm_s=speed
    ) as inspection:
        try:
            for clip in inspection.clips():
                print_json_line(clip.to_json()) if as_json else print_rich(
                    runtime.video.table.live_line(clip, inspector.bundle)
                )
        except KeyboardInterrupt:
            print("weld: stopped, the verdict is on what was seen so far", file=sys.stderr)
        report = inspection.report()
    print_json_line(report.to_json()) if as_json else print_rich(runtime.video.table.live_summary(report))
