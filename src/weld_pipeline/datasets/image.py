"""An image, shown in Kedro-Viz."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview
from PIL import Image

from weld_pipeline.core.files import write_bytes

_PREVIEW_PX = 1200


class ImageDataset(AbstractDataset[UInt8[np.ndarray, "H W 3"], UInt8[np.ndarray, "H W 3"]]):
    """Saves an RGB array as PNG; Kedro-Viz shows it.

    Args:
        filepath: The PNG file.
        metadata: For plugins such as Kedro-Viz.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> UInt8[np.ndarray, "H W 3"]:
        with Image.open(self._path) as image:
            return np.asarray(image.convert("RGB"))

    def save(self, data: UInt8[np.ndarray, "H W 3"]) -> None:
        write_bytes(self._path, _png(Image.fromarray(data)))

    def preview(self) -> ImagePreview:
        """Return the image, no larger than a screen, for Kedro-Viz."""
        image = Image.fromarray(self.load())
        image.thumbnail((_PREVIEW_PX, _PREVIEW_PX))
        return ImagePreview(base64.b64encode(_png(image)).decode())

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
