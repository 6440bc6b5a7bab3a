import json
from pathlib import Path

import pytest
import yaml
from kedro.io import DatasetError
from pydantic import ValidationError

from weld_pipeline.datasets.source_tree import SourceTreeDataset
from weld_pipeline.pipelines.sample_data.nodes import (
    draw_images,
    draw_weld_seams,
    draw_weld_shop,
    plan_images,
    plan_weld_seams,
    plan_weld_shop,
)
from weld_pipeline.pipelines.sample_data.params import (
    DrawImagesParams,
    DrawWeldShopParams,
    PlanImagesParams,
    PlanWeldSeamsParams,
    PlanWeldShopParams,
)
from weld_pipeline.pipelines.sample_data.pipeline import IMAGE_LAYOUTS, create_pipeline
from weld_pipeline.synthetic.drawn.images.layouts import LAYOUTS

TINY = {
    "n_good": 1,
    "n_per_defect": 0,
    "n_sessions": 1,
    "confounded": False,
    "lead_s": (0.1, 0.2),
    "arc_s": (0.3, 0.4),
    "handwritten_share": 0.5,
    "width": 320,
    "still_width": 400,
    "seed": 0,
}
TINY_IMAGES = {
    "layout": "tig_ss304",
    "n_sessions_per_class": 3,
    "n_per_session": 1,
    "written_share": 0.0,
    "width": 96,
    "seed": 0,
}
TINY_SEAMS = {"n_train_good": 2, "n_test_good": 1, "n_per_defect": 1, "width": 96, "seed": 0}


def base_parameters(project_root):
    text = (project_root / "conf" / "base" / "parameters_sample_data.yml").read_text()
    return yaml.safe_load(text)["sample_data"]


def draw(root: Path, n_workers: int) -> dict[str, bytes]:
    plan = plan_weld_shop(PlanWeldShopParams(**(TINY | {"n_good": 2})))
    SourceTreeDataset(filepath=str(root)).save(draw_weld_shop(plan, DrawWeldShopParams(n_workers=n_workers)))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_shop_is_the_same_whatever_the_number_of_workers(tmp_path):
    one = draw(tmp_path / "one", 1)
    two = draw(tmp_path / "two", 2)
    assert one == two
    assert len(one) == 2 * 8 + 2  # files of two runs, manifest.csv, DRAWN.json


def test_base_parameters_are_typed_and_meet_the_promised_size(project_root):
    params = base_parameters(project_root)
    DrawWeldShopParams(**params["draw_weld_shop"])
    plan = plan_weld_shop(PlanWeldShopParams(**params["plan_weld_shop"]))
    assert plan.label.value_counts().min() >= 8
    assert plan.label.nunique() == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_per_defects": 3}, "Extra inputs are not permitted"),
        ({"arc_s": (3.0, 2.0)}, "arc_s: the shortest time 3.0 s is longer than the longest 2.0 s"),
        ({"width": 333}, "multiple of 32"),
        ({"handwritten_share": 1.5}, "less than or equal to 1"),
    ],
)
def test_wrong_parameter_is_refused_by_name(change, message):
    with pytest.raises(ValidationError, match=message):
        PlanWeldShopParams(**(TINY | change))


def drawn_images(root: Path, layout: str, n_workers: int = 1, **changes) -> dict[str, bytes]:
    plan = plan_images(PlanImagesParams(**(TINY_IMAGES | {"layout": layout} | changes)))
    SourceTreeDataset(filepath=str(root)).save(draw_images(plan, DrawImagesParams(n_workers=n_workers)))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("layout", IMAGE_LAYOUTS)
def test_every_file_of_a_layout_is_recorded_as_drawn(tmp_path, layout):
    files = drawn_images(tmp_path, layout)
    record = json.loads(files.pop("DRAWN.json"))
    assert record["is_finished"]
    assert set(record["files"]) == set(files)
    n_images = sum(name.endswith((".png", ".jpg")) for name in files)
    assert n_images == 3 * len(LAYOUTS[layout].classes)


def test_images_are_the_same_whatever_the_number_of_workers(tmp_path):
    one, two = (drawn_images(tmp_path / str(n), "weld_boxes", n_workers=n) for n in (1, 2))
    assert one == two


def test_nothing_is_drawn_among_images_of_ones_own(tmp_path):
    mine = tmp_path / "good_welds" / "mine.jpg"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with pytest.raises(DatasetError, match="holds files that were not drawn"):
        drawn_images(tmp_path, "weld_photos")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


def test_an_image_that_exists_is_kept_and_one_that_is_missing_is_drawn_again(tmp_path):
    before = drawn_images(tmp_path, "riawelc")
    (tmp_path / "cr_01.png").write_bytes(b"mine")
    (tmp_path / "cr_02.png").unlink()
    after = drawn_images(tmp_path, "riawelc")
    assert after == before | {"cr_01.png": b"mine"}


def test_other_parameters_are_refused_rather_than_drawn_over(tmp_path):
    drawn_images(tmp_path, "neu")
    with pytest.raises(DatasetError, match="drawn with other parameters"):
        drawn_images(tmp_path, "neu", seed=1)


def test_each_layout_is_a_namespace_that_can_be_drawn_alone():
    pipeline = create_pipeline()
    for layout in IMAGE_LAYOUTS:
        alone = pipeline.only_nodes_with_namespaces([layout])
        assert {node.name for node in alone.nodes} == {f"{layout}.plan_images", f"{layout}.draw_images"}
        assert f"params:sample_data.{layout}.plan_images" in alone.inputs()
        assert alone.outputs() == {f"{layout}.raw"}
    assert set(IMAGE_LAYOUTS) == set(LAYOUTS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layout": "tig"}, "Input should be 'tig_ss304'"),
        ({"layout": "neu", "written_share": 0.2}, "written_share: 0.2 for neu, which has no writing; set it to 0"),
        ({"n_sessions_per_class": 2}, "greater than or equal to 3"),
        ({"n_images": 5}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_parameter_of_images_is_refused_by_name(change, message):
    with pytest.raises(ValidationError, match=message):
        PlanImagesParams(**(TINY_IMAGES | change))


def drawn_seams(root: Path, n_workers: int = 1, **changes) -> dict[str, bytes]:
    plan = plan_weld_seams(PlanWeldSeamsParams(**(TINY_SEAMS | changes)))
    SourceTreeDataset(filepath=str(root)).save(draw_weld_seams(plan, DrawImagesParams(n_workers=n_workers)))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_every_seam_and_mask_is_recorded_as_drawn_whatever_the_number_of_workers(tmp_path):
    one, two = (drawn_seams(tmp_path / str(n), n_workers=n) for n in (1, 2))
    assert one == two
    record = json.loads(one.pop("DRAWN.json"))
    assert record["is_finished"]
    assert set(record["files"]) == set(one)
    assert len(one) == 2 + 1 + 5 * 2  # good ones; five defects, each with its mask


def test_seams_are_drawn_neither_among_nor_over_existing_files(tmp_path):
    before = drawn_seams(tmp_path / "drawn")
    (tmp_path / "drawn/ground_truth/void/000_mask.png").write_bytes(b"mine")
    (tmp_path / "drawn/train/good/001.png").unlink()
    assert drawn_seams(tmp_path / "drawn") == before | {"ground_truth/void/000_mask.png": b"mine"}
    with pytest.raises(DatasetError, match="drawn with other parameters"):
        drawn_seams(tmp_path / "drawn", seed=1)
    mine = tmp_path / "own/train/good/002.png"  # a number beyond those that would be drawn
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    with pytest.raises(DatasetError, match="holds files that were not drawn"):
        drawn_seams(tmp_path / "own")
    assert [path for path in (tmp_path / "own").rglob("*") if path.is_file()] == [mine]


def test_seams_are_drawn_alone_by_the_namespace_that_reads_them():
    alone = create_pipeline().only_nodes_with_namespaces(["anomaly_detector"])
    assert {node.name for node in alone.nodes} == {
        "anomaly_detector.plan_weld_seams",
        "anomaly_detector.draw_weld_seams",
    }
    assert alone.inputs() == {"params:sample_data.plan_weld_seams", "params:sample_data.draw_images"}
    assert alone.outputs() == {"anomaly_detector.raw"}


def test_base_parameters_of_seams_give_enough_of_each_kind(project_root):
    plan = plan_weld_seams(PlanWeldSeamsParams(**base_parameters(project_root)["plan_weld_seams"]))
    n = plan.path.str.rpartition("/")[0].value_counts()
    assert n["train/good"] >= 40
    assert n["test/good"] >= 12
    assert n.drop(["train/good", "test/good"]).min() >= 5
    assert len(n) == 2 + 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_train_good": 0}, "greater than or equal to 1"),
        ({"width": 64}, "greater than or equal to 96"),
        ({"n_defects": 3}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_parameter_of_seams_is_refused_by_name(change, message):
    with pytest.raises(ValidationError, match=message):
        PlanWeldSeamsParams(**(TINY_SEAMS | change))
