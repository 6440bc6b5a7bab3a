"""Overview: everything that was drawn and counted of a model, or of a data set, on one page that needs nothing else."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from PIL import Image

from weld_pipeline.report.page import data_url, template

_MAX_PX = 1400  # wider images are shown at this width; their files are whole
_MAX_ROWS = 30
_KINDS = ("image", "table", "numbers", "page")
# The numbers that the table of MLflow compares, too.
_HEADLINES = (
    ("accuracy", "accuracy"),
    ("balanced_accuracy", "balanced accuracy"),
    ("auroc", "AUROC"),
    ("defect_recall", "defect recall"),
    ("good_specificity", "good-weld specificity"),
)


@dataclass(frozen=True)
class Part:
    """One thing on the page.

    Attributes:
        content: URL of an image, HTML of a table, JSON text, or a whole page.
        note: What is left out.
    """

    title: str
    kind: Literal["image", "table", "numbers", "page"]
    content: str
    note: str = ""


def overview_page(title: str, parts: Mapping[str, Any]) -> str:
    """Return the page of a model, a data set, or of several of them.

    Args:
        parts: Name to RGB pixels, table, JSON values or HTML page. `banners` and `evaluation` stand at the top.
    """
    shown = [_part(name, value) for name, value in parts.items() if name not in ("banners", "evaluation")]
    shown.sort(key=lambda part: (_KINDS.index(part.kind), part.title))
    rates = parts["evaluation"]["rates"] if "evaluation" in parts else {}
    return template("overview.html.j2").render(
        title=title,
        banners=parts.get("banners", []),
        headlines=[(label, rates[name]) for name, label in _HEADLINES if name in rates],
        parts=shown,
    )


def _part(name: str, value: Any) -> Part:
    title = name.replace("_", " ").capitalize()
    if isinstance(value, np.ndarray):
        return Part(title, "image", _image_url(value))
    if isinstance(value, pd.DataFrame):
        left_out = f"{_MAX_ROWS} of {len(value):,} rows" if len(value) > _MAX_ROWS else ""
        table = value.head(_MAX_ROWS).to_html(index=False, border=0, na_rep="", float_format="{:.4g}".format)
        return Part(title, "table", table, left_out)
    if isinstance(value, str):
        return Part(title, "page", value)
    return Part(title, "numbers", json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _image_url(pixels: np.ndarray) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((_MAX_PX, 10 * _MAX_PX))
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=85)
    return data_url(buffer.getvalue())
