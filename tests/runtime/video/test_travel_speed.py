import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime.video.travel_speed import cpm_to_mm_s, manifest_travel_mm_s

HEADER = "CATEGORY,WELD_TYPE,THICKNESS_MM,STEEL_TYPE,SAMPLES,CURRENT_A,VOLTAGE_V,GAS_BAR,ROBOT_SPEED_CPM,DIRECTORY,SUBDIRS,SPLIT"


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "overlap_1" / "03-22-23-0001-06" / "03-22-23-0001-06.avi"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def write_manifest(root, *rows):
    lines = [f"Overlap,FILLET,7,FE410,1,165,21.0,4.5,{speed},overlap_1,{subdirs},TRAIN" for subdirs, speed in rows]
    (root / "manifest.csv").write_text("\n".join([HEADER, *lines]) + "\n")


def test_speed_comes_from_the_row_of_the_run(video, tmp_path):
    write_manifest(tmp_path, ("overlap_1/03-22-23-0002-06", 60), ("overlap_1/03-22-23-0001-06", 30))
    assert manifest_travel_mm_s(video) == 5.0  # 30 cm/min = 300 mm / 60 s


def test_same_run_id_in_another_configuration_is_not_this_run(video, tmp_path):
    write_manifest(tmp_path, ("overlap_2/03-22-23-0001-06", 60))
    assert manifest_travel_mm_s(video) is None


def test_no_manifest_means_no_speed(video):
    assert manifest_travel_mm_s(video) is None


def test_run_with_an_empty_cell_has_no_speed(video, tmp_path):
    write_manifest(tmp_path, ("overlap_1/03-22-23-0001-06", ""))
    assert manifest_travel_mm_s(video) is None


@pytest.mark.parametrize("speed", ["fast", "0", "-3", "nan"])
def test_speed_that_cannot_be_is_named(video, tmp_path, speed):
    write_manifest(tmp_path, ("overlap_1/03-22-23-0001-06", speed))
    with pytest.raises(WeldError, match=rf"manifest\.csv: ROBOT_SPEED_CPM of 03-22-23-0001-06 is '{speed}'"):
        manifest_travel_mm_s(video)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_given_speed_must_be_above_zero(speed):
    with pytest.raises(WeldError, match="must be above 0"):
        cpm_to_mm_s(speed)
