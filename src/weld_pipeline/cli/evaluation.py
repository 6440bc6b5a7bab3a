"""`weld evaluate`: what anyone's predictions are worth."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from weld_pipeline import core, evaluation, report
from weld_pipeline.cli.options import JsonOption


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
    table = evaluation.external_predictions.read_csv(
        file, id_column=id_column, label_column=label_column, predicted_column=predicted_column
    )
    table, joined = evaluation.external_labels.one_spelling(table)
    repeated = evaluation.external_predictions.check_ids(table)
    sessions, rule = evaluation.external_predictions.sessions_of(table, session)
    rows = table[["sample_id", "label", "predicted"]].assign(session=sessions)
    good_classes = evaluation.external_predictions.good_classes({*rows["label"], *rows["predicted"]}, good)
    measured = evaluation.evaluation.evaluate(
        rows, good=good_classes, protocol=evaluation.estimates.Protocol(n_resamples=n_resamples, seed=seed)
    )
    measured = replace(measured, notes=[*joined, *repeated, *measured.notes])
    if html:
        core.files.write_bytes(
            html, report.page.foreign_report(measured, file_name=file.name, session_rule=rule).encode()
        )
    if as_json:
        print(json.dumps(evaluation.summary.short_record(measured, session_rule=rule), indent=2, allow_nan=False))
    else:
        report.console.print_evaluation(Console(), measured, session_rule=rule)
