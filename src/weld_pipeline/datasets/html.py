"""A self-contained HTML page."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from weld_pipeline.core.files import write_bytes


class HtmlDataset(AbstractDataset[str, str]):
    """Saves a page as UTF-8, whole or not at all.

    Args:
        filepath: The HTML file.
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> str:
        return self._path.read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        write_bytes(self._path, data.encode("utf-8"))

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}
