"""Text tables: csv files with every cell as text, each row where its header says."""

import csv
import io
from pathlib import Path

import pandas as pd

from weld_pipeline.core.errors import WeldError

_DELIMITERS = (",", ";", "\t")


def read_text_table(path: Path) -> pd.DataFrame:
    """Return a csv file as text, without blanks around cells; the index holds the line on which each row ends.

    The delimiter is the comma, semicolon or tab that parts the first line into most cells. Empty lines are passed over. A
    row shorter than the header is filled up with empty cells.

    Raises:
        WeldError: If it cannot be read, is empty, is no UTF-8 text or no csv, has a column twice, or has a row longer than
            its header: then no one knows which cell belongs to which column.
    """
    text = _read(path)
    try:
        lines = [line for line in text.splitlines() if line.strip()]
        if not lines:
            raise WeldError(f"{path} is empty; it needs a header line and rows")
        delimiter = max(_DELIMITERS, key=lambda each: len(next(csv.reader([lines[0]], delimiter=each))))
        reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True, strict=True)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise WeldError(f"{path}: cannot be read as csv ({error}); save it as UTF-8 csv") from error
    (_, header), *body = [(line, cells) for line, cells in rows if any(cells)]
    _check_header(path, header)
    for line, cells in body:
        if len(cells) > len(header):
            raise WeldError(
                f"{path}: line {line} has {len(cells)} cells, the header {len(header)}, so columns may be shifted; take away "
                f"what stands behind a {delimiter!r} too many, or put a cell that holds one into quotes"
            )
    columns = [name or f"column {place}" for place, name in enumerate(header, start=1)]
    filled = [cells + [""] * (len(header) - len(cells)) for _, cells in body]
    return pd.DataFrame(filled, columns=columns, index=[line for line, _ in body], dtype=str)


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WeldError(f"{path}: cannot be read ({error.strerror}); give the path of a csv file") from error
    except UnicodeDecodeError as error:
        raise WeldError(f"{path}: cannot be read as csv ({error}); save it as UTF-8 csv") from error
    if "\0" in text:
        raise WeldError(f"{path}: cannot be read as csv (it holds NUL characters); save it as UTF-8 csv")
    return text


def _check_header(path: Path, header: list[str]) -> None:
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise WeldError(f"{path} has the column {twice[0]!r} twice; rename one of them")
