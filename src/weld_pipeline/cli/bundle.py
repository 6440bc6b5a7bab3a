"""`weld bundle`: look into a bundle, check it, take it apart."""

from pathlib import Path
from typing import Annotated

import typer

from weld_pipeline import runtime
from weld_pipeline.cli.options import BundleArgument, JsonOption
from weld_pipeline.cli.output import print_json, print_rich

bundles = typer.Typer(help="Look into a bundle, check it, take it apart.", no_args_is_help=True)


@bundles.command("show")
def show_bundle(folder: BundleArgument, as_json: JsonOption = False) -> None:
    """Print what a bundle is, where it came from and how good it was. Exit code 2: it cannot be believed."""
    bundle = runtime.bundle.load_bundle(folder)
    if as_json:
        print_json(bundle.description.model_dump(mode="json") | {"sha256": bundle.sha256})
    else:
        print_rich(runtime.bundle_table.bundle_table(bundle))


@bundles.command("verify")
def verify_bundle(folder: BundleArgument, as_json: JsonOption = False) -> None:
    """Check every hash of a bundle. Exit code: 0 whole, 2 not."""
    bundle = runtime.bundle.load_bundle(folder)
    if as_json:
        print_json({"is_whole": True, "sha256": bundle.sha256, "files": bundle.description.files})
    else:
        print(f"{folder}: whole, {len(bundle.description.files)} files as exported, bundle {bundle.sha256}")


@bundles.command("split")
def split_bundle(
    folder: BundleArgument,
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Where the files go; made if not there.")],
) -> None:
    """Write an image classifier as pre_processing.py, model.onnx and post_processing.py, for servers that chain three files.

    They need numpy, Pillow and onnxruntime alone; files of these names are replaced. Exit code 2: it is no classifier of
    images; videos and anomaly detectors are not split.
    """
    for path in runtime.image.split_graph.write_triple(runtime.bundle.load_bundle(folder), output):
        print(path)
