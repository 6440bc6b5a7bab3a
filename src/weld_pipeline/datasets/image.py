"""Image as PNG, shown in Kedro-Viz."""

import base64
import io

import numpy as np
from jaxtyping import UInt8
from kedro_datasets._typing import ImagePreview
from matplotlib.figure import Figure
from PIL import Image

from weld_pipeline.core.files import write_bytes
from weld_pipeline.datasets.base import FileDataset

_PREVIEW_PX = 1200


class ImageDataset(FileDataset[UInt8[np.ndarray, "H W 3"] | Figure, UInt8[np.ndarray, "H W 3"]]):
    """Saves RGB pixels or a figure as PNG, and loads pixels: what is drawn once can be shown again."""

    def load(self) -> UInt8[np.ndarray, "H W 3"]:
        with Image.open(self.path) as image:
            return np.asarray(image.convert("RGB"))

    def save(self, data: UInt8[np.ndarray, "H W 3"] | Figure) -> None:
        write_bytes(self.path, _png(Image.fromarray(data)) if isinstance(data, np.ndarray) else _drawn(data))

    def preview(self) -> ImagePreview:
        """Return the image, no larger than a screen, for Kedro-Viz."""
        image = Image.fromarray(self.load())
        image.thumbnail((_PREVIEW_PX, _PREVIEW_PX))
        return ImagePreview(base64.b64encode(_png(image)).decode())


def _drawn(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
