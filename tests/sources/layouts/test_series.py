import pytest
from hypothesis import given
from hypothesis import strategies as st

from weld_pipeline.sources.layouts.series import series_of


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("SampleV1_3_mp4-12_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9.jpg", "SampleV1_3_mp4"),
        ("SampleV2_1_mp4-7_jpg.rf.ffb2c3d4e5f60718293a4b5c6d7e8f9.jpg", "SampleV2_1_mp4"),
        ("good_weld_vid108_jpeg_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9.jpg", "good_weld_vid"),
        ("Good-Welding-images_28_png_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9.jpg", "Good-Welding-images"),
        ("eac7a6e6-55379860-Transverse-Cracks_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9.jpg", "Transverse-Cracks"),
        ("32522582-017a05a4-c16_png_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9.jpg", "c"),
        ("9210eeab-weld.jpg", "weld"),
        ("20220609-weld.jpg", "20220609-weld"),
        ("Screenshot-2022-12-05-223834_jpeg_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9.jpg", "Screenshot-2022-12-05"),
        ("IMG_20220609_081234.jpg", "IMG_20220609"),
        ("IMG20220609081234.jpg", "IMG20220609"),
        ("DSC00417.JPG", "DSC"),
        ("weld (3).png", "weld"),
        ("0017.png", "0017"),
        ("weld.png", "weld"),
    ],
)
def test_series_is_the_name_without_what_tools_and_counters_added(name, series):
    assert series_of(f"train/images/{name}") == series


@given(st.text("ab-_ 0129().", min_size=1).filter(lambda name: name.strip(".")))
def test_every_name_has_a_series_and_a_number_after_it_changes_nothing(name):
    series = series_of(f"{name}x.png")
    assert series
    assert series_of(f"{series}-7.png") == series_of(f"{series}-8.png")


def test_real_photos_come_from_29_series_and_the_six_videos_hold_two_thirds(real_data):
    names = [path.name for path in (real_data / "weld_photos/train/images").iterdir()]
    series = [series_of(name) for name in names]
    assert len(names) == 320
    assert len(set(series)) == 29
    videos = {name for name in series if name.startswith("SampleV")}
    assert videos == {f"SampleV{video}_{part}_mp4" for video in (1, 2, 3) for part in (1, 2)}
    assert sum(name in videos for name in series) == 204
