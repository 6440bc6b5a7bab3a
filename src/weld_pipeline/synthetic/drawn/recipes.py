"""Recipe table: a row a recipe, so that a plan can be looked at before it is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeVar, get_type_hints

import pandas as pd

from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.shop.welds import DrawnWeld

Recipe = TypeVar("Recipe", DrawnWeld, DrawnImage)


def as_table(recipes: Sequence[Recipe], kind: type[Recipe]) -> pd.DataFrame:
    """Return the recipes as a table, a row each."""
    return pd.DataFrame([asdict(recipe) for recipe in recipes], columns=[field.name for field in fields(kind)])


def from_table(table: pd.DataFrame, kind: type[Recipe]) -> list[Recipe]:
    """Return the recipes in a table of `as_table`, also after a round trip through a file."""
    kinds: dict[str, Callable[[Any], Any]] = get_type_hints(kind)
    return [kind(**{name: cast(row[name]) for name, cast in kinds.items()}) for row in table.to_dict("records")]
