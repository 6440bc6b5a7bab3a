import base64
import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from weld_pipeline.datasets.html import HtmlDataset
from weld_pipeline.datasets.image import ImageDataset


def test_image_comes_back_to_the_pixel(tmp_path):
    dataset = ImageDataset(filepath=str(tmp_path / "a/b.png"))
    image = np.arange(60 * 80 * 3, dtype=np.uint8).reshape(60, 80, 3)
    assert not dataset.exists()
    dataset.save(image)
    np.testing.assert_array_equal(dataset.load(), image)


def test_preview_of_a_large_image_fits_a_screen(tmp_path):
    dataset = ImageDataset(filepath=str(tmp_path / "a.png"))
    dataset.save(np.zeros((3000, 1500, 3), np.uint8))
    with Image.open(io.BytesIO(base64.b64decode(dataset.preview()))) as shown:
        assert shown.size == (600, 1200)


def test_page_comes_back_with_its_letters(tmp_path):
    dataset = HtmlDataset(filepath=str(tmp_path / "a.html"))
    dataset.save("<p>95 % · Ø</p>")
    assert dataset.load() == "<p>95 % · Ø</p>"


def test_figure_comes_back_as_what_was_drawn(tmp_path):
    figure = Figure(figsize=(2, 1), dpi=50)
    figure.patch.set_facecolor("red")
    figure.add_axes((0, 0, 1, 1), facecolor="red").set(xticks=[], yticks=[])
    dataset = ImageDataset(filepath=str(tmp_path / "a.png"))
    dataset.save(figure)
    pixels = dataset.load()
    assert pixels[len(pixels) // 2, pixels.shape[1] // 2].tolist() == [255, 0, 0]
