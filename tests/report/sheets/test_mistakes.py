"""A recording at a glance."""

import av
import numpy as np
import pytest
from PIL import Image

from weld_pipeline.core.errors import WeldError
from weld_pipeline.report.sheets.mistakes import CELL_HEIGHT, CELL_WIDTH, Exhibit, frame_strip, strip_sheet


@pytest.fixture
def film(tmp_path):
    """Ten frames at 10 fps, each brighter by 20 than the one before, 64 wide and 32 high."""
    path = tmp_path / "film.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for number in range(10):
            frame = np.full((32, 64, 3), 20 + 20 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_frames_are_the_middles_of_equal_shares(film) -> None:
    strip = frame_strip(film, start_s=0.2, length_s=0.8, n_frames=4, height=32, width=64)
    assert strip.shape == (32, 4 * 64, 3)
    # Shares of 0.2 s from 0.2 s on: frames 3, 5, 7, 9, of level 20 + 20 · number.
    assert strip[16, 32::64, 0] == pytest.approx([80, 120, 160, 200], abs=4)


def test_frame_keeps_its_shape_in_its_cell(film) -> None:
    strip = frame_strip(film, start_s=0.0, length_s=1.0, n_frames=1, height=64, width=64)
    assert strip[:15].max() == 0  # 64×32 in 64×64: a black band above and below
    assert strip[32, 32, 0] > 50


def test_stretch_that_runs_past_the_end_is_filled_with_black(film) -> None:
    strip = frame_strip(film, start_s=0.0, length_s=4.0, n_frames=4, height=32, width=64)
    assert strip[:, :64].max() > 50
    assert strip[:, 128:].max() == 0


def test_stretch_beyond_the_end_is_refused(film) -> None:
    with pytest.raises(WeldError, match=r"has no frame 5\.00 s after its start"):
        frame_strip(film, start_s=5.0, length_s=1.0, n_frames=2, height=32, width=64)


def test_sheet_has_a_strip_a_recording_and_one_for_none(film) -> None:
    assert strip_sheet([Exhibit(film, 0.0, 1.0)] * 3, n_frames=2).shape == (3 * CELL_HEIGHT, 2 * CELL_WIDTH, 3)
    assert strip_sheet([], n_frames=2).shape == (CELL_HEIGHT, 2 * CELL_WIDTH, 3)


def test_real_recording_shows_the_arc(real_data) -> None:
    recording = next((real_data / "intel_robotic_welding").rglob("*.avi"))
    assert strip_sheet([Exhibit(recording, 5.0, 5.0)], n_frames=2).max() > 100


def test_image_fills_its_strip_without_being_stretched(tmp_path):
    Image.fromarray(np.full((100, 200, 3), 255, np.uint8)).save(tmp_path / "white.png")
    (strip,) = np.split(strip_sheet([Exhibit(tmp_path / "white.png")], n_frames=4), 1)
    assert strip.shape == (CELL_HEIGHT, 4 * CELL_WIDTH, 3)
    assert (strip == 255).all(axis=2).sum() == CELL_HEIGHT * 2 * CELL_HEIGHT  # twice as wide as high, as the image is
