"""`weld checkpoint`: look into a model file."""

from pathlib import Path
from typing import Annotated

import typer

from weld_pipeline import core, runtime
from weld_pipeline.cli.options import JsonOption
from weld_pipeline.cli.output import print_json, print_rich

checkpoints = typer.Typer(help="Look into a model file; nothing in it is run.", no_args_is_help=True)


@checkpoints.command("show")
def show_checkpoint(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .safetensors model of this project.")],
    as_json: JsonOption = False,
) -> None:
    """Print family, shapes, epochs, metrics and provenance of a model file. Pickled files are refused, never opened."""
    description = core.saved_model.describe(file)
    if as_json:
        print_json(description)
    else:
        print_rich(runtime.bundle_table.checkpoint_table(description))
