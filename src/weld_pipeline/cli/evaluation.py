"""`weld evaluate`: what anyone's predictions are worth."""

from pathlib import Path
from typing import Annotated

import typer

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
    import json

    from rich.console import Console

    from weld_pipeline.core.files import write_bytes
    from weld_pipeline.evaluation import external_predictions as foreign
    from weld_pipeline.evaluation.estimates import Protocol
    from weld_pipeline.evaluation.evaluation import evaluate
    from weld_pipeline.evaluation.summary import short_record
    from weld_pipeline.report.console import print_evaluation

    table = foreign.read_csv(file, id_column=id_column, label_column=label_column, predicted_column=predicted_column)
    sessions, rule = foreign.sessions_of(table, session)
    rows = table[["sample_id", "label", "predicted"]].assign(session=sessions)
    good_classes = foreign.good_classes({*rows["label"], *rows["predicted"]}, good)
    evaluation = evaluate(rows, good=good_classes, protocol=Protocol(n_resamples=n_resamples, seed=seed))
    if html:
        from weld_pipeline.report.page import foreign_report

        write_bytes(html, foreign_report(evaluation, file_name=file.name, session_rule=rule).encode())
    if as_json:
        print(json.dumps(short_record(evaluation, session_rule=rule), indent=2, allow_nan=False))
    else:
        print_evaluation(Console(), evaluation, session_rule=rule)
