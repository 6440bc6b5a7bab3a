"""`weld weights`: pretrained weights, also for machines without a network."""

from pathlib import Path
from typing import Annotated, Any

import typer

from weld_pipeline import nn
from weld_pipeline.cli.options import JsonOption
from weld_pipeline.cli.output import print_json

weights = typer.Typer(
    help="See, fetch and check pretrained weights, also for machines without a network.", no_args_is_help=True
)

FolderOption = Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where pretrained weights lie.")]
_PRETRAINED = Path("data/06_models/pretrained")


@weights.command("list")
def list_weights(folder: FolderOption = _PRETRAINED, as_json: JsonOption = False) -> None:
    """List every known set of weights, where it comes from, and whether it is here."""
    lines = nn.weights.choose.inventory(folder)
    if as_json:
        print_json(lines)
        return
    for line in lines:
        install = f", or install {line['package']['distribution']}" if line["package"] else ""
        here = line["found"] or f"not here: bring it as {folder / line['filename']}{install}"
        digest = f"sha256 {line['sha256']}" if line["sha256"] else "its hub publishes no sha256"
        print(f"{line['name']}\n  {here}\n  {line['url']}\n  {digest}\n  {line['licence']}")


@weights.command("fetch")
def fetch_weights(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of `weld weights list`, or any of timm's, as resnet18.a1_in1k.")
    ],
    folder: FolderOption = _PRETRAINED,
) -> None:
    """Download weights that no installed package carries, and check their sha256.

    Exit code 2: they cannot be had; the message says what to bring.
    """
    line = nn.weights.choose.line_of(name)
    if line.package and (carried := line.package.find()):
        typer.echo(f"{name}: nothing to fetch, {line.package.source} carries it", err=True)
        print(carried)
        return
    print(nn.weights.choose.fetch(line, folder))


@weights.command("verify")
def verify_weights(folder: FolderOption = _PRETRAINED) -> None:
    """Check the sha256 of every file that is here, where one is known. Exit code 2: a file has other bytes."""
    found = [line for line in nn.weights.choose.inventory(folder) if line["found"]]
    for line in found:
        print(f"{line['name']}: {line['found']} {line['sha256']}: {_compared(line)}")
    n_checked = sum(line["is_checked"] for line in found)
    print(f"{n_checked} of {len(found)} file(s) compared with what their hubs publish or the table pins")


def _compared(line: dict[str, Any]) -> str:
    if line["is_packaged"]:
        return f"as the table pins it, {line['url']}"
    if line["is_checked"]:
        return "as its hub has it"
    if line["is_converted"]:
        return f"not compared, converted from {line['filename']}, whose digest is no longer its own"
    return "not compared, its hub publishes no digest"
