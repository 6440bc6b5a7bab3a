"""The `weld` command: what is done outside a Kedro run."""

import sys
from collections.abc import Callable, Sequence
from copy import copy
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import click
import typer
from typer.core import TyperGroup

from weld_pipeline.core.errors import WeldError


class _SayErrors(TyperGroup):
    """A command group that prints a `WeldError` as one line and exits with 2; a defect of ours keeps its traceback."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        try:
            return super().main(args, *rest, **options)
        except WeldError as error:
            print(f"weld: {error}", file=sys.stderr)
            raise SystemExit(2) from None


app = typer.Typer(
    cls=_SayErrors,
    help="Inspect welds, evaluate predictions, look into bundles and checkpoints.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


BundleOption = Annotated[Path, typer.Option("--bundle", metavar="DIR", help="Bundle folder, as exported.")]
BundleArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Bundle folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else there.")]
SpeedOption = Annotated[
    float | None,
    typer.Option("--travel-speed-cpm", metavar="CPM", help="Travel speed of the torch in cm/min, for positions in mm."),
]
ThreadsOption = Annotated[int, typer.Option("--threads", min=0, help="Threads of the network; 0: one a core.")]


@app.command()
def inspect(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Videos, or folders of videos.")],
    bundle: BundleOption,
    *,
    as_json: JsonOption = False,
    travel_speed_cpm: SpeedOption = None,
    threads: ThreadsOption = 0,
) -> None:
    """Say pass or fail of finished videos, and where along the bead to look.

    Positions in mm need the travel speed: from --travel-speed-cpm, or from the manifest.csv above the video.

    Exit code: 0 every video got a verdict, pass or fail, which the output tells; 2 some input could not be inspected.
    """
    from weld_pipeline.core.progress import track
    from weld_pipeline.runtime.batch import NotInspected, find_videos, inspect_videos
    from weld_pipeline.runtime.bundle import load_bundle
    from weld_pipeline.runtime.travel import cpm_to_mm_s
    from weld_pipeline.runtime.video import VideoInspector

    speed = None if travel_speed_cpm is None else cpm_to_mm_s(travel_speed_cpm)
    inspector = VideoInspector(load_bundle(bundle), n_threads=threads)
    videos = find_videos(paths)
    verdicts = inspect_videos(inspector, videos, travel_mm_s=speed)
    results = list(track(verdicts, label="inspecting", total=len(videos)))
    if as_json:
        _print_json({"bundle": inspector.bundle.identity(), "videos": [result.to_json() for result in results]})
    else:
        from weld_pipeline.runtime.render import verdict_table

        _print_rich(verdict_table(results, inspector.bundle))
    if any(isinstance(result, NotInspected) for result in results):
        raise typer.Exit(2)


@app.command()
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
    from weld_pipeline.runtime.bundle import load_bundle
    from weld_pipeline.runtime.camera import open_source
    from weld_pipeline.runtime.live import LiveInspection
    from weld_pipeline.runtime.render import banner_lines, live_line, live_summary
    from weld_pipeline.runtime.travel import cpm_to_mm_s
    from weld_pipeline.runtime.video import VideoInspector

    speed = None if travel_speed_cpm is None else cpm_to_mm_s(travel_speed_cpm)
    inspector = VideoInspector(load_bundle(bundle), n_threads=threads)
    banners = inspector.bundle.description.banners
    _print_json_line({"event": "start", **inspector.bundle.identity()}) if as_json else _print_rich(
        *banner_lines(banners)
    )
    with LiveInspection(inspector, open_source(source), is_paced=pace, travel_mm_s=speed) as inspection:
        try:
            for clip in inspection.clips():
                _print_json_line(clip.to_json()) if as_json else _print_rich(live_line(clip, inspector.bundle))
        except KeyboardInterrupt:
            print("weld: stopped, the verdict is on what was seen so far", file=sys.stderr)
        report = inspection.report()
    _print_json_line(report.to_json()) if as_json else _print_rich(live_summary(report))


bundles = typer.Typer(help="Look into a bundle and check it.", no_args_is_help=True)
checkpoints = typer.Typer(help="Look into a model file; nothing in it is run.", no_args_is_help=True)
app.add_typer(bundles, name="bundle")
app.add_typer(checkpoints, name="checkpoint")


@bundles.command("show")
def show_bundle(folder: BundleArgument, as_json: JsonOption = False) -> None:
    """Print what a bundle is, where it came from and how good it was. Exit code 2: it cannot be believed."""
    from weld_pipeline.runtime.bundle import load_bundle

    bundle = load_bundle(folder)
    if as_json:
        _print_json(bundle.description.model_dump(mode="json") | {"sha256": bundle.sha256})
    else:
        from weld_pipeline.runtime.render import bundle_table

        _print_rich(bundle_table(bundle))


@bundles.command("verify")
def verify_bundle(folder: BundleArgument, as_json: JsonOption = False) -> None:
    """Check every hash of a bundle. Exit code: 0 whole, 2 not."""
    from weld_pipeline.runtime.bundle import load_bundle

    bundle = load_bundle(folder)
    if as_json:
        _print_json({"is_whole": True, "sha256": bundle.sha256, "files": bundle.description.files})
    else:
        print(f"{folder}: whole, {len(bundle.description.files)} files as exported, bundle {bundle.sha256}")


@checkpoints.command("show")
def show_checkpoint(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .safetensors model of this project.")],
    as_json: JsonOption = False,
) -> None:
    """Print family, shapes, epochs, metrics and provenance of a model file. Pickled files are refused, never opened."""
    from weld_pipeline.nn.checkpoints import describe

    description = describe(file)
    if as_json:
        _print_json(description)
    else:
        from weld_pipeline.runtime.render import checkpoint_table

        _print_rich(checkpoint_table(description))


weights = typer.Typer(
    help="See, fetch and check pretrained weights, also for machines without a network.", no_args_is_help=True
)
app.add_typer(weights, name="weights")

FolderOption = Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where pretrained weights lie.")]
_PRETRAINED = Path("data/06_models/pretrained")


@weights.command("list")
def list_weights(folder: FolderOption = _PRETRAINED, as_json: JsonOption = False) -> None:
    """List every known set of weights, where it comes from, and whether it is here."""
    from weld_pipeline.nn.weights import inventory

    lines = inventory(folder)
    if as_json:
        _print_json(lines)
        return
    for line in lines:
        print(f"{line['name']}\n  {line['found'] or 'not here'}\n  {line['url']}\n  {line['licence']}")


@weights.command("fetch")
def fetch_weights(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `weld weights list` has it.")],
    folder: FolderOption = _PRETRAINED,
) -> None:
    """Download weights and check their sha256. Exit code 2: they cannot be had; the message says what to bring."""
    from weld_pipeline.nn.weights import fetch, line_of

    print(fetch(line_of(name), folder))


@weights.command("verify")
def verify_weights(folder: FolderOption = _PRETRAINED) -> None:
    """Check the sha256 of every file that is here. Exit code 2: one has other bytes than its hub's."""
    from weld_pipeline.nn.weights import inventory

    found = [line for line in inventory(folder) if line["found"]]
    for line in found:
        print(f"{line['name']}: {line['found']} {line['sha256']}")
    print(f"{len(found)} file(s) as their hubs have them")


def _print_json(value: Any) -> None:
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def _print_json_line(value: Any) -> None:
    import json

    print(json.dumps(value, ensure_ascii=False, allow_nan=False), flush=True)


def _print_rich(*values: Any) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, emoji=False, markup=False)
    for value in values:
        console.print(value, soft_wrap=isinstance(value, Text))  # a line stays a line, also in a pipe


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Predictions, one row a sample.")],
    *,
    id_column: Annotated[str, typer.Option("--id", metavar="COLUMN", help="Sample id.")] = "sample_id",
    label_column: Annotated[str, typer.Option("--label", metavar="COLUMN", help="True class.")] = "label",
    predicted_column: Annotated[str, typer.Option("--predicted", metavar="COLUMN", help="Class said.")] = "predicted",
    good: Annotated[
        str | None, typer.Option(metavar="CLASS", help="Class of acceptable welds; by default Good, if it occurs.")
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX",
            help="What in the id names the session: the first group, or the whole match. By default a column `session`, "
            "else a date MM-DD-YY at the start of every id, else each id is a session of its own.",
        ),
    ] = None,
    n_resamples: Annotated[int, typer.Option(min=100, help="Resamples of sessions behind each interval.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    as_json: JsonOption = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as one HTML page too.")] = None,
) -> None:
    """Say what a table of predictions is worth, anyone's: metrics, intervals over sessions, and the session look-up."""
    import json

    from rich.console import Console

    from weld_pipeline.core.files import write_bytes
    from weld_pipeline.decision import foreign
    from weld_pipeline.decision.console import print_evaluation
    from weld_pipeline.decision.estimates import Protocol
    from weld_pipeline.decision.evaluation import evaluate
    from weld_pipeline.decision.summary import short_record

    table = foreign.read_csv(file, id_column=id_column, label_column=label_column, predicted_column=predicted_column)
    sessions, rule = foreign.sessions_of(table, session)
    rows = table[["sample_id", "label", "predicted"]].assign(session=sessions)
    good_classes = foreign.good_classes({*rows["label"], *rows["predicted"]}, good)
    evaluation = evaluate(rows, good=good_classes, protocol=Protocol(n_resamples=n_resamples, seed=seed))
    if html:
        from weld_pipeline.decision.report import foreign_report

        write_bytes(html, foreign_report(evaluation, file_name=file.name, session_rule=rule).encode())
    if as_json:
        print(json.dumps(short_record(evaluation, session_rule=rule), indent=2, allow_nan=False))
    else:
        print_evaluation(Console(), evaluation, session_rule=rule)


class _ProjectCommands(click.Group):
    """Kedro's own `run`, which says a user's mistake in one line; Kedro is imported only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return ["run"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name != "run":
            return None
        from kedro.framework.cli.project import run

        command = copy(run)
        command.callback = _readable(run.callback)
        return command


def _readable(callback: Callable[..., Any] | None) -> Callable[..., Any]:
    assert callback is not None  # click allows a command without one; Kedro's run has it

    @wraps(callback)
    def run(*args: Any, **options: Any) -> Any:
        from kedro.io import DatasetError
        from kedro.validation.exceptions import ParameterValidationError

        try:
            return callback(*args, **options)
        except (WeldError, ParameterValidationError) as error:
            raise click.ClickException(str(error)) from error
        except DatasetError as error:
            cause: BaseException | None = error
            while isinstance(cause, DatasetError):  # the catalog wraps what a dataset wraps
                cause = cause.__cause__
            if isinstance(cause, WeldError):
                raise click.ClickException(str(cause)) from error
            raise

    return run


cli = _ProjectCommands("Project commands")  # the name Kedro looks for

if __name__ == "__main__":
    app()
