"""External predictions, read from a csv file in the form that `evaluate` takes."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.text_tables import read_text_table
from weld_pipeline.evaluation.external_labels import label_key

DATE = r"^\d\d-\d\d-\d\d"  # how run ids of the Intel data set begin: MM-DD-YY


def read_csv(path: Path, *, id_column: str, label_column: str, predicted_column: str) -> pd.DataFrame:
    """Return the table as text, its three columns named `sample_id`, `label` and `predicted`, its index the lines.

    Raises:
        WeldError: If the file is missing, empty or no csv, a column is missing, a cell of the three is empty or nan, or an
            id stands twice.
    """
    if not path.is_file():
        raise WeldError(f"predictions file {path} does not exist; give the path of a csv file")
    table = read_text_table(path)
    column_of = {"sample_id": id_column, "label": label_column, "predicted": predicted_column}
    if missing := [name for name in column_of.values() if name not in table]:
        raise WeldError(f"{path} has no column {missing[0]!r}; its columns are {list(table.columns)}; name one of them")
    if table.empty:
        raise WeldError(f"predictions file {path} has a header but no rows; there is nothing to evaluate")
    for name in column_of.values():
        _check_filled(path, table[name])
    others = table.drop(columns=[name for name in {*column_of, *column_of.values()} if name in table])
    table = others.assign(**{name: table[column] for name, column in column_of.items()})
    if (again := table["sample_id"].duplicated()).any():
        sample_id = table["sample_id"][again].iloc[0]
        lines = table.index[table["sample_id"] == sample_id].tolist()
        raise WeldError(
            f"{path}: id {sample_id!r} stands in the lines {lines[0]} and {lines[1]}; {int(again.sum())} row(s) repeat an id; "
            "give each sample one row"
        )
    return table


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
