"""External predictions, read from a csv file in the form that `evaluate` takes."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.text_tables import read_text_table
from weld_pipeline.evaluation.external_labels import label_key

_MAX_REPEATED = 0.01
DATE = r"^\d\d-\d\d-\d\d"  # how run ids of the Intel data set begin: MM-DD-YY


def read_csv(path: Path, *, id_column: str, label_column: str, predicted_column: str) -> pd.DataFrame:
    """Return the table as text, its three columns named `sample_id`, `label` and `predicted`, its index the lines.

    Raises:
        WeldError: If the file is missing, empty or no csv, a column is missing, or a cell of the three is empty or nan.
    """
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise WeldError(f"predictions file {path} {what}; give the path of a csv file")
    table = read_text_table(path)
    column_of = {"sample_id": id_column, "label": label_column, "predicted": predicted_column}
    if missing := [name for name in column_of.values() if name not in table]:
        raise WeldError(f"{path} has no column {missing[0]!r}; its columns are {list(table.columns)}; name one of them")
    if table.empty:
        raise WeldError(f"predictions file {path} has a header but no rows; there is nothing to evaluate")
    for name in column_of.values():
        _check_filled(path, table[name])
    others = table.drop(columns=[name for name in {*column_of, *column_of.values()} if name in table])
    return others.assign(**{name: table[column] for name, column in column_of.items()})


def check_ids(table: pd.DataFrame) -> list[str]:
    """Return a sentence on ids that stand twice, if there are any; each of their rows counts.

    Recorders do repeat a number now and then: the published predictions of the reference classifier hold six run ids
    twice, of two steels. More than one row in a hundred is a table joined to itself.

    Args:
        table: As `read_csv` makes it.

    Raises:
        WeldError: If an id has two classes or two predictions, or more rows than that repeat one.
    """
    again = table["sample_id"].duplicated()
    if not again.any():
        return []
    differing = table.groupby("sample_id")[["label", "predicted"]].nunique().max(axis=1) > 1
    contradicted = table["sample_id"].map(differing) & again
    sample_id = table["sample_id"][contradicted if contradicted.any() else again].iloc[0]
    lines = table.index[table["sample_id"] == sample_id]
    where = f"id {sample_id!r} stands in the lines {lines[0]} and {lines[1]}"
    if contradicted.any():
        raise WeldError(f"{where} with different classes; give each sample one row, or name the column of ids by --id")
    if again.mean() > _MAX_REPEATED:
        raise WeldError(f"{where}, and {int(again.sum())} of {len(table)} rows repeat an id; give each sample one row")
    return [
        f"{int(again.sum())} row(s) repeat an id with the same classes and count as samples of their own: first, {where}."
    ]


def _check_filled(path: Path, column: pd.Series) -> None:
    empty = column.index[(column == "") | (column.str.casefold() == "nan")]
    if len(empty):
        raise WeldError(
            f"{path}: column {column.name!r} is empty in {len(empty)} row(s), first in line {empty[0]}; fill or drop them"
        )


def sessions_of(table: pd.DataFrame, pattern: str | None) -> tuple[list[str], str | None]:
    """Return each row's session, and in words what a session is; None if each id is its own session.

    Without a pattern the session is the column `session`, if there is one, else the date that begins every id.

    Args:
        pattern: Regular expression to search in each id; its first group, or else the whole match, is the session.

    Raises:
        WeldError: If the pattern is no regular expression or does not match some id, or the column has an empty cell.
    """
    ids = table["sample_id"].tolist()
    if pattern is not None:
        return _matched(ids, pattern), f"match of {pattern} in the id"
    if "session" in table:
        if empty := table.index[table["session"] == ""].tolist():
            raise WeldError(
                f"column 'session' is empty in {len(empty)} row(s), first in line {empty[0]} (id "
                f"{table.loc[empty[0], 'sample_id']!r}); fill it in, or name the session by --session"
            )
        return table["session"].astype(str).tolist(), "column session"
    if all(re.search(DATE, sample_id) for sample_id in ids):
        return _matched(ids, DATE), f"date at the start of the id ({DATE})"
    return ids, None


def good_classes(labels: Collection[str], good: str | None) -> list[str]:
    """Return the acceptable classes: the named one, else `Good` where it occurs, in whatever spelling.

    Raises:
        WeldError: If the named class does not occur.
    """
    occurring = sorted(set(labels))
    found = [name for name in occurring if label_key(name) == label_key(good or "Good")]
    if good is not None and not found:
        raise WeldError(f"good class {good!r} does not occur; the classes are {occurring}; name one of them")
    return found


def _matched(ids: Sequence[str], pattern: str) -> list[str]:
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise WeldError(f"session pattern {pattern!r} is no regular expression: {error}; mend it") from error
    matches = [regex.search(sample_id) for sample_id in ids]
    if unmatched := [sample_id for sample_id, match in zip(ids, matches, strict=True) if not match]:
        raise WeldError(
            f"session pattern {pattern!r} finds nothing in {len(unmatched)} of {len(ids)} ids, e.g. {unmatched[0]!r}; "
            "give one that finds the session in every id"
        )
    return [match[1] if regex.groups else match[0] for match in matches if match]
