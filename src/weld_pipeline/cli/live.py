"""`weld live`: inspect a weld while it is made."""

import sys
from typing import Annotated

import typer

from weld_pipeline import media, runtime
from weld_pipeline.cli.options import BundleOption, EngineOption, JsonOption, SpeedOption, ThreadsOption, travel_mm_s
from weld_pipeline.cli.output import print_json_line, print_rich
from weld_pipeline.core.errors import WeldError


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
    engine: EngineOption = "onnxruntime",
) -> None:
    """Inspect a file or a camera as it comes: a line a clip, the verdict at the end or on Ctrl-C.

    A camera does not wait: where the network is too slow, whole clips are dropped, the oldest first, and counted.
    A file waits, unless --pace is given. The real-time factor is seconds of network per second of arc-on video.

    Exit code: 0 the verdict was given; 2 the source could not be read to its end. A camera that breaks off still gives
    the verdict on what was seen before, and `broke_off` says why; a file that does gives none.
    """
    inspector = runtime.video.inspector.VideoInspector(bundle, engine=engine, n_threads=threads)
    banners = inspector.bundle.description.banners
    print_json_line({"event": "start", **inspector.bundle.identity()}) if as_json else print_rich(
        *runtime.styles.banner_lines(banners)
    )
    with runtime.video.live.LiveInspection(
        inspector, media.camera.open_source(source), is_paced=pace, travel_mm_s=travel_mm_s(travel_speed_cpm)
    ) as inspection:
        try:
            for clip in inspection.clips():
                print_json_line(clip.to_json()) if as_json else print_rich(
                    runtime.video.live_table.live_line(clip, inspector.bundle)
                )
        except KeyboardInterrupt:
            print("weld: stopped, the verdict is on what was seen so far", file=sys.stderr)
        report = inspection.report()
    print_json_line(report.to_json()) if as_json else print_rich(runtime.video.live_table.live_summary(report))
    if report.broke_off is not None:
        raise WeldError(f"{report.broke_off}; the verdict is on what was seen until then")
