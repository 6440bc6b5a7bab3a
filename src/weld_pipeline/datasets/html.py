"""HTML page, self-contained."""

from weld_pipeline.core.files import write_bytes
from weld_pipeline.datasets.base import FileDataset


class HtmlDataset(FileDataset[str, str]):
    """Saves a page as UTF-8, whole or not at all."""

    def load(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        write_bytes(self.path, data.encode("utf-8"))
