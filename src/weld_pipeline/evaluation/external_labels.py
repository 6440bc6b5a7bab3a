"""External labels: which spellings of a class are one, between the true and the predicted column of a table.

Tools write the same class as `1` and `1.0`, `True` and `true`, `Good` and `good`. Such spellings are taken for one class,
in the spelling of the true column, and what was joined is said.
"""

import math
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import pandas as pd

from weld_pipeline.core.errors import WeldError

_NUMBER = re.compile(r"[+-]?(\d{1,12}\.?\d{0,12}|\.\d{1,12})(e[+-]?\d{1,2})?", re.IGNORECASE | re.ASCII)
_JOINED_WORDS = re.compile(r"(?<=\w)[_-]+(?=\w)")
_DECIMAL_COMMA = re.compile(r"([+-]?\d+),(00?)", re.ASCII)
_N_NAMED = 8
# A confusion matrix for each session and each resample is held at once: 2^27 cells are 1 GiB. ISO 6520-1 names some 100 kinds.
_MAX_CLASSES, _MAX_CELLS, _MIN_MATRICES = 100, 1 << 27, 2000


def label_key(label: str) -> str:
    """Return what spellings of one class share: letter case, blanks, what joins words and the way a number is written make none.

    >>> label_key("1.0"), label_key("1"), label_key("1e0"), label_key("1,0"), label_key("Lack of  Fusion ")
    ('1', '1', '1', '1', 'lack of fusion')
    >>> label_key("Lack_of_fusion"), label_key("lack-of-fusion"), label_key("-1.0")
    ('lack of fusion', 'lack of fusion', '-1')
    """
    text = unicodedata.normalize("NFKC", " ".join(label.split())).casefold()
    if comma := _DECIMAL_COMMA.fullmatch(text):
        text = f"{comma[1]}.{comma[2]}"
    return f"{(Decimal(text) + 0).normalize():f}" if _NUMBER.fullmatch(text) else _JOINED_WORDS.sub(" ", text)


def one_spelling(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the table with one spelling of each class, and a sentence on what was joined, if anything was.

    Args:
        table: Columns `label`, the true class, and `predicted`, as text.

    Raises:
        WeldError: If this would join two labels of the true column, if no predicted class is a true one, or if there are
            too many to be classes.
    """
    true, predicted = _first_lines(table["label"]), _first_lines(table["predicted"])
    spelling: dict[str, str] = {}
    for label, line in true.items():
        if (other := spelling.setdefault(label_key(label), label)) != label:
            raise WeldError(
                f"the true classes {other!r} (line {true[other]}) and {label!r} (line {line}) differ only in how they are "
                "written; write one as the other if they are one class, or rename one"
            )
    for option, labels in (("label", true), ("predicted", predicted)):
        _check_classes(option, labels, known=spelling, n_rows=len(table))
    if not {label_key(label) for label in predicted} & set(spelling):
        raise WeldError(
            f"the two columns share no class: true are {_some(true)}, predicted {_some(predicted)}; name the column of "
            "predicted classes by --predicted, or write the classes alike"
        )
    known = {label: spelling.setdefault(label_key(label), label) for label in predicted}
    joined = [f"{label!r} counts as {other!r}" for label, other in known.items() if other != label]
    renamed = table.assign(
        **{name: [spelling[label_key(label)] for label in table[name]] for name in ("label", "predicted")}
    )
    return renamed, _sentence(joined)


def _first_lines(column: pd.Series) -> dict[str, int]:
    """Return the line on which each label stands first."""
    first = column[~column.duplicated()]
    return {str(label): int(line) for line, label in first.items()}  # type: ignore[call-overload]


def _check_classes(option: str, labels: Mapping[str, int], *, known: Collection[str], n_rows: int) -> None:
    """Refuse a column that holds scores or names instead of classes, before anything is counted per class."""
    n_most = min(_MAX_CLASSES, math.isqrt(_MAX_CELLS // max(n_rows, _MIN_MATRICES)))
    scores = [label for label in labels if _is_fraction(label) and label_key(label) not in known]
    if 2 * len(scores) > len(labels) or len(labels) > n_most:
        raise WeldError(
            f"the column of --{option} holds {len(labels)} different values, e.g. {_some(labels)}: it looks like scores or "
            f"names, and of {n_rows} rows at most {n_most} classes are judged; name the column of classes by --{option}"
        )


def _is_fraction(label: str) -> bool:
    return "." in label_key(label) and bool(_NUMBER.fullmatch(label))


def _some(labels: Mapping[str, int]) -> str:
    names = sorted(labels)
    return ", ".join(map(repr, names[:_N_NAMED])) + (", …" if len(names) > _N_NAMED else "")


def _sentence(joined: Sequence[str]) -> list[str]:
    if not joined:
        return []
    more = f" and {len(joined) - _N_NAMED} more" if len(joined) > _N_NAMED else ""
    return [
        f"Spellings taken for one class (letter case, blanks, _ or -, 1.0 for 1): {', '.join(joined[:_N_NAMED])}{more}."
    ]
