"""Small videos and small networks for the tests of this room."""

from pathlib import Path

import av
import numpy as np
import pytest

from weld_pipeline.nn.video.trunk import load_trunk


@pytest.fixture(scope="session")
def random_trunk(tmp_path_factory):
    """r3d_18 with seeded random weights and its record; building it takes seconds."""
    return load_trunk("r3d_18", weights="random", seed=0, folder=tmp_path_factory.mktemp("none"))


@pytest.fixture(scope="session")
def arc_video(tmp_path_factory):
    """Return a maker of small MPEG-4 videos: dark, then arc for `n_on` frames, then dark."""
    folder = tmp_path_factory.mktemp("videos")

    def make(name: str, *, n_on: int, n_dark: int = 5, seed: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        path = folder / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=30)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index in range(n_on + 2 * n_dark):
                frame = rng.integers(0, 20, (48, 64, 3), dtype=np.uint8)
                if n_dark <= index < n_dark + n_on:
                    frame[10:30, 10 + index % 20 : 40] = 230
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        return path

    return make
