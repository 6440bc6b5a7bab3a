"""External predictions, read from a csv file in the form that `evaluate` takes."""

import re
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd
from pandas.errors import EmptyDataError, ParserError, ParserWarning

from weld_pipeline.core.errors import WeldError

DATE = r"^\d\d-\d\d-\d\d"  # how run ids of the Intel data set begin: MM-DD-YY


def read_csv(path: Path, *, id_column: str, label_column: str, predicted_column: str) -> pd.DataFrame:
    """Return the table with `sample_id`, `label` and `predicted` as strings; its other columns stay as they are.

    Raises:
        WeldError: If the file is missing, empty or no csv, a column is missing, or a cell of the three is empty.
    """
    if not path.is_file():
        raise WeldError(f"predictions file {path} does not exist; give the path of a csv file")
    names = {id_column: "sample_id", label_column: "label", predicted_column: "predicted"}
    try:
        with warnings.catch_warnings():
            # Rows longer than the header would otherwise be shifted, or cut with no more than a warning.
            warnings.simplefilter("error", ParserWarning)
            table = pd.read_csv(
                path, dtype=dict.fromkeys(names, str), keep_default_na=False, na_values=[""], index_col=False
            )
    except EmptyDataError as error:
        raise WeldError(f"predictions file {path} is empty; it needs a header line and rows") from error
    except (ParserError, ParserWarning, UnicodeDecodeError) as error:
        raise WeldError(
            f"predictions file {path} is no readable csv ({str(error).strip()}); save it as UTF-8 csv"
        ) from error
    if missing := [name for name in names if name not in table]:
        raise WeldError(f"{path} has no column {missing[0]!r}; its columns are {list(table.columns)}; name one of them")
    if table.empty:
        raise WeldError(f"predictions file {path} has a header but no rows; there is nothing to evaluate")
    for name in names:
        if (n_empty := int(table[name].isna().sum())) > 0:
            line = int(table[name].isna().to_numpy().argmax()) + 2
            raise WeldError(
                f"{path}: column {name!r} is empty in {n_empty} row(s), first in line {line}; fill or drop them"
            )
    return table.rename(columns=names)


def sessions_of(table: pd.DataFrame, pattern: str | None) -> tuple[list[str], str | None]:
    """Return each row's session, and in words what a session is; None if each id is its own session.

    Without a pattern the session is the column `session`, if there is one, else the date that begins every id.

    Args:
        pattern: Regular expression to search in each id; its first group, or else the whole match, is the session.

    Raises:
        WeldError: If the pattern is no regular expression, or does not match some id.
    """
    ids = table["sample_id"].tolist()
    if pattern is not None:
        return _matched(ids, pattern), f"match of {pattern} in the id"
    if "session" in table and table["session"].notna().all():
        return table["session"].astype(str).tolist(), "column session"
    if all(re.search(DATE, sample_id) for sample_id in ids):
        return _matched(ids, DATE), f"date at the start of the id ({DATE})"
    return ids, None


def good_classes(labels: Collection[str], good: str | None) -> list[str]:
    """Return the acceptable classes: the named one, else `Good` where it occurs.

    Raises:
        WeldError: If the named class does not occur.
    """
    occurring = sorted(set(labels))
    if good is not None and good not in occurring:
        raise WeldError(f"good class {good!r} does not occur; the classes are {occurring}; name one of them")
    return [name for name in occurring if name == (good or "Good")]


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
