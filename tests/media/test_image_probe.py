import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.media.handmade import png16, scaled
from weld_pipeline.core.files import sha256_file
from weld_pipeline.media.image_probe import probe_image
from weld_pipeline.media.images import read_image
from weld_pipeline.media.probe import Probe


def probe(path, **changes):
    return probe_image(path, **{"max_pixels": 10_000, "thumbnail_px": 32} | changes)


def save(path, *, size=(80, 60), seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def test_whole_image_is_one_frame_without_time(tmp_path):
    path = save(tmp_path / "a.png")
    probed = probe(path)
    assert (probed.problem, probed.width, probed.height, probed.n_frames) == (None, 80, 60, 1)
    assert (probed.fps, probed.arc_start_s, probed.arc_on_s, probed.flicker) == (None, None, None, None)
    assert (probed.n_bytes, probed.sha256) == (path.stat().st_size, sha256_file(path))
    assert len(bytes.fromhex(probed.scene)) * 8 == 256


def test_mean_luma_is_that_of_all_pixels(tmp_path):
    path = save(tmp_path / "a.png")
    rec601 = (read_image(path) @ np.array([0.299, 0.587, 0.114])).mean()
    assert probe(path).mean_luma == pytest.approx(rec601, rel=1e-5)


@pytest.mark.parametrize(("size", "shown"), [((80, 60), (32, 24)), ((4, 100), (3, 64)), ((100, 1), (32, 1))])
def test_thumbnail_has_the_width_asked_for_or_twice_that_in_height(tmp_path, size, shown):
    probed = probe(save(tmp_path / "a.png", size=size))
    assert Image.open(io.BytesIO(base64.b64decode(probed.thumbnail))).size == shown


def test_size_is_that_of_the_upright_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 60)).save(tmp_path / "a.jpg", exif=exif)
    assert (probe(tmp_path / "a.jpg").width, probe(tmp_path / "a.jpg").height) == (60, 80)


def test_empty_file_is_told(tmp_path):
    (tmp_path / "a.png").touch()
    assert probe(tmp_path / "a.png") == Probe("empty: the file has 0 bytes; copy it again from the camera", 0)


def make_bad(path, kind):
    if kind == "not_an_image":
        path.write_text("no image")
    elif kind == "truncated":
        save(path)
        path.write_bytes(path.read_bytes()[:-400])
    elif kind == "too_large":
        save(path, size=(200, 100))
    else:
        Image.new("F", (8, 8)).save(path, "TIFF")


@pytest.mark.parametrize("kind", ["not_an_image", "truncated", "too_large", "unsupported"])
def test_bad_file_is_a_result_that_holds_no_path_of_this_machine(tmp_path, kind):
    path = tmp_path / "a.png"
    make_bad(path, kind)
    probed = probe(path)
    assert probed.problem.startswith(f"{kind}: ")
    assert str(tmp_path) not in probed.problem
    assert probed.sha256 == sha256_file(path)
    assert probed.thumbnail is None


def test_flat_image_has_no_scene_that_would_match_every_other(tmp_path):
    for name, value in (("a", 20), ("b", 200)):
        Image.new("L", (40, 40), value).save(tmp_path / f"{name}.png")
    assert probe(tmp_path / "a.png").scene is probe(tmp_path / "b.png").scene is None


def test_real_frame_is_grey_and_whole(real_data):
    path = min((real_data / "tig_ss304/train").rglob("*.png"))
    probed = probe(path, max_pixels=1_000_000)
    assert (probed.problem, probed.width, probed.height) == (None, 1280, 700)


def test_doubt_about_pixel_values_is_kept_and_ends_once_the_bits_are_stated(tmp_path):
    (tmp_path / "a.png").write_bytes(png16(scaled(4095), colour_type=0))
    doubtful, stated = probe(tmp_path / "a.png"), probe(tmp_path / "a.png", sample_bits=12)
    assert doubtful.warnings[0].startswith("low_values: ")
    assert (doubtful.sample_bits, stated.sample_bits, stated.warnings) == (None, 12, ())
    assert stated.mean_luma > 10 * doubtful.mean_luma
    assert probe(tmp_path / "a.png", sample_bits=10).problem.startswith("sample_bits: pixel values reach 3481")


def test_file_of_several_images_is_a_problem(tmp_path):
    frame = Image.new("L", (8, 8))
    frame.save(tmp_path / "a.tif", save_all=True, append_images=[frame])
    assert probe(tmp_path / "a.tif").problem.startswith("several_images: holds 2 pages")
