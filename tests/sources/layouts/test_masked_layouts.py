"""Layouts whose defects are marked by masks: MVTec AD, AD 2, VisA, GDXray, masks beside images."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from weld_pipeline.core.errors import WeldError
from weld_pipeline.sources.image_index import ImageReading, index_images

MVTEC = (
    "train/good/000.png", "train/good/001.png", "test/good/000.png", "test/crack/000.png", "test/hole/000.jpg",
    "ground_truth/crack/000_mask.png", "ground_truth/hole/000.png",
)  # fmt: skip


def touch(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())


def rows(root, **reading):
    return {row.sample_id: row for row in index_images(root, ImageReading(**{"good_class": "good"} | reading))}


def draw(path, *, marked):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((4, 6), dtype=np.uint8)
    pixels[:1, :marked] = 255
    Image.fromarray(pixels).save(path)


def test_mvtec_tells_class_split_and_mask_with_or_without_its_ending(tmp_path):
    touch(tmp_path, *MVTEC)
    indexed = rows(tmp_path)
    assert {row.source for row in indexed.values()} == {"mvtec"}
    assert {path: (row.label, row.source_split, row.mask_path) for path, row in indexed.items()} == {
        "train/good/000.png": ("good", "train", None),
        "train/good/001.png": ("good", "train", None),
        "test/good/000.png": ("good", "test", None),
        "test/crack/000.png": ("crack", "test", "ground_truth/crack/000_mask.png"),
        "test/hole/000.jpg": ("hole", "test", "ground_truth/hole/000.png"),
    }
    assert len({row.session for row in indexed.values()}) == len(indexed)


def test_defect_without_a_mask_is_a_row_like_any_other(tmp_path):
    touch(tmp_path, *MVTEC, "test/crack/007.png")
    row = rows(tmp_path)["test/crack/007.png"]
    assert (row.mask_path, row.problem) == (None, None)


def test_mask_without_an_image_is_told(tmp_path):
    touch(tmp_path, *MVTEC, "ground_truth/crack/009_mask.png")
    row = rows(tmp_path)["ground_truth/crack/009_mask.png"]
    assert row.problem.startswith("missing: there is no image to this mask")


def test_image_in_no_folder_of_a_class_is_told(tmp_path):
    touch(tmp_path, *MVTEC, "preview.png", "test/odd.png")
    indexed = rows(tmp_path)
    for name in ("preview.png", "test/odd.png"):
        assert indexed[name].problem.startswith("unlabelled: lies in no folder <split>/<class>")


def test_loco_has_one_or_several_masks_for_each_image(tmp_path):
    touch(tmp_path, "train/good/000.png", "validation/good/000.png", "test/good/000.png")
    for kind in ("logical_anomalies", "structural_anomalies"):
        touch(tmp_path, f"test/{kind}/000.png", f"test/{kind}/001.png")
        touch(tmp_path, f"ground_truth/{kind}/000/000.png", f"ground_truth/{kind}/001/000.png")
    touch(tmp_path, "ground_truth/logical_anomalies/001/001.png", "defects_config.json")
    indexed = rows(tmp_path)
    assert {path: row.mask_path for path, row in indexed.items() if row.mask_path} == {
        "test/logical_anomalies/000.png": "ground_truth/logical_anomalies/000/000.png",
        "test/logical_anomalies/001.png": "ground_truth/logical_anomalies/001",
        "test/structural_anomalies/000.png": "ground_truth/structural_anomalies/000/000.png",
        "test/structural_anomalies/001.png": "ground_truth/structural_anomalies/001/000.png",
    }
    assert len(indexed) == 7
    assert not [row.problem for row in indexed.values() if row.problem]


def test_session_pattern_groups_images_of_mvtec(tmp_path):
    touch(tmp_path, *MVTEC)
    assert {row.session for row in rows(tmp_path, session_pattern=r"/(\d+)\.").values()} == {"000", "001"}


def test_mvtec_ad2_has_validation_and_a_public_test(tmp_path):
    touch(tmp_path, "train/good/0.png", "validation/good/1.png", "test_public/good/2.png", "test_public/bad/3.png")
    touch(tmp_path, "test_public/ground_truth/bad/3_mask.png", "test_private/4.png")
    indexed = rows(tmp_path)
    assert {row.source for row in indexed.values()} == {"mvtec_ad2"}
    assert {path: (row.label, row.source_split, row.mask_path) for path, row in indexed.items()} == {
        "train/good/0.png": ("good", "train", None),
        "validation/good/1.png": ("good", "validation", None),
        "test_public/good/2.png": ("good", "test_public", None),
        "test_public/bad/3.png": ("bad", "test_public", "test_public/ground_truth/bad/3_mask.png"),
        "test_private/4.png": (None, None, None),
    }
    assert indexed["test_private/4.png"].problem.startswith("unlabelled")


def test_visa_has_no_split(tmp_path):
    touch(tmp_path, "Data/Images/Normal/0.JPG", "Data/Images/Anomaly/0.JPG", "Data/Masks/Anomaly/0.png")
    touch(tmp_path, "Data/Images/Odd/1.JPG", "image_anno.csv")
    indexed = rows(tmp_path)
    assert {path: (row.label, row.source_split, row.mask_path) for path, row in indexed.items()} == {
        "Data/Images/Normal/0.JPG": ("good", None, None),
        "Data/Images/Anomaly/0.JPG": ("anomaly", None, "Data/Masks/Anomaly/0.png"),
        "Data/Images/Odd/1.JPG": (None, None, None),
    }
    assert indexed["Data/Images/Odd/1.JPG"].problem.startswith("unknown_class: lies in neither of Data/Images/{Normal,")


@pytest.mark.parametrize(
    "paths",
    [
        ["bottle/train/good/0.png", "bottle/test/good/0.png", "bottle/ground_truth/crack/0_mask.png"],
        ["can/train/good/0.png", "can/test_public/good/0.png"],
        ["pcb1/Data/Images/Normal/0.JPG"],
    ],
)
def test_folder_of_several_products_is_told_which_to_name(tmp_path, paths):
    touch(tmp_path, *paths)
    product = paths[0].partition("/")[0]
    with pytest.raises(
        WeldError, match=f"masks lie deeper, under {product}; name one product, as {tmp_path}/{product}"
    ):
        rows(tmp_path)


def test_listing_of_mvtec_names_masks_too(tmp_path):
    text = "+---ground_truth\n|   \\---crack\n|           0_mask.png\n|\n+---test\n|   +---crack\n|   |       0.png\n|   |\n"
    text += "|   \\---good\n|           1.png\n|\n\\---train\n    \\---good\n            2.png\n"
    (tmp_path / "listing.txt").write_text(text)
    indexed = rows(tmp_path / "listing.txt")
    assert indexed["test/crack/0.png"].mask_path == "ground_truth/crack/0_mask.png"
    assert {row.problem.split(":")[0] for row in indexed.values()} == {"missing"}


def test_png_beside_an_image_of_the_same_name_is_its_mask(tmp_path):
    touch(tmp_path, "crack/1.jpg", "crack/1.png", "crack/2.BMP", "crack/2.png", "good/3.jpg", "good/4.png")
    indexed = rows(tmp_path)
    assert {path: (row.label, row.mask_path) for path, row in indexed.items()} == {
        "crack/1.jpg": ("crack", "crack/1.png"),
        "crack/2.BMP": ("crack", "crack/2.png"),
        "good/3.jpg": ("good", None),
        "good/4.png": ("good", None),
    }


def test_png_that_lost_its_image_among_masks_is_no_image(tmp_path):
    touch(tmp_path, "crack/1.jpg", "crack/1.png", "crack/2.png", "good/3.jpg", "good/3.png")
    assert rows(tmp_path)["crack/2.png"].problem.startswith("missing: there is no image to this mask")


def test_a_few_images_kept_in_two_formats_are_no_masks(tmp_path):
    touch(tmp_path, "good/1.jpg", "good/1.png", "good/2.jpg", "bad/3.jpg")
    indexed = rows(tmp_path)
    assert {row.source for row in indexed.values()} == {"class_folders"}
    assert len(indexed) == 4


def test_magnetic_tiles_tell_class_exposure_and_tile(tmp_path):
    shots = ["MT_Free/Imgs/exp1_num_500", "MT_Crack/Imgs/exp6_num_588", "MT_Crack/Imgs/exp1_num_789"]
    touch(tmp_path, *(f"{shot}.{suffix}" for shot in shots for suffix in ("jpg", "png")))
    indexed = [rows(tmp_path)[f"{shot}.jpg"] for shot in shots]
    assert [(row.label, row.config, row.session) for row in indexed] == [
        ("good", "exposure_1", "tile_500"),
        ("crack", "exposure_6", "tile_500"),
        ("crack", "exposure_1", "tile_789"),  # 201 after the shot before
    ]


def test_masks_with_a_suffix_in_capitals_are_no_images(tmp_path):
    shots = ["MT_Free/Imgs/exp1_num_500", "MT_Free/Imgs/exp1_num_900", "MT_Crack/Imgs/exp1_num_1300"]
    for shot, suffix in zip(shots, ("png", "PNG", "Png"), strict=True):
        touch(tmp_path, f"{shot}.jpg", f"{shot}.{suffix}")
    indexed = rows(tmp_path)
    assert {path: row.mask_path for path, row in indexed.items()} == {
        f"{shot}.jpg": f"{shot}.{suffix}" for shot, suffix in zip(shots, ("png", "PNG", "Png"), strict=True)
    }


def test_films_are_paired_by_number_and_their_masks_tell_the_class(tmp_path):
    for number, n_marked in ((1, 0), (2, 5)):
        draw(tmp_path / f"W0001/W0001_000{number}.png", marked=6)
        draw(tmp_path / f"W0002/W0002_000{number}.png", marked=n_marked)
    draw(tmp_path / "W0003/W0003_0001.png", marked=6)
    draw(tmp_path / "W0002/W0002_0009.png", marked=1)
    indexed = rows(tmp_path, good_class="ok")
    assert {path: (row.label, row.mask_path, row.session) for path, row in indexed.items()} == {
        "W0001/W0001_0001.png": ("ok", "W0002/W0002_0001.png", "W0001_0001"),
        "W0001/W0001_0002.png": ("weld_defect", "W0002/W0002_0002.png", "W0001_0002"),
        "W0003/W0003_0001.png": (None, None, "W0003_0001"),
        "W0002/W0002_0009.png": (None, None, None),
    }
    assert indexed["W0003/W0003_0001.png"].problem.startswith("unlabelled: no mask W0002 of its number")
    assert indexed["W0002/W0002_0009.png"].problem.startswith("missing: there is no image to this mask")


def test_film_whose_mask_cannot_be_read_is_told(tmp_path):
    draw(tmp_path / "images/W0001_0001.png", marked=6)
    touch(tmp_path, "labels/W0002_0001.png")
    row = rows(tmp_path)["images/W0001_0001.png"]
    assert row.problem.startswith("bad_mask: the mask cannot be read: is none of PNG")


def test_films_without_a_good_class_leave_unmarked_ones_without_class(tmp_path):
    draw(tmp_path / "W0001_0001.png", marked=6)
    draw(tmp_path / "W0002_0001.png", marked=0)
    row = rows(tmp_path, good_class=None)["W0001_0001.png"]
    assert row.problem.startswith("unlabelled: its mask marks nothing, and index.good_class is null")


def test_mask_that_is_a_link_out_of_the_folder_is_refused(tmp_path):
    root = tmp_path / "source"
    touch(root, *MVTEC)
    touch(tmp_path, "elsewhere.png")
    (root / "ground_truth/crack/000_mask.png").unlink()
    (root / "ground_truth/crack/000_mask.png").symlink_to(tmp_path / "elsewhere.png")
    assert rows(root)["test/crack/000.png"].problem.startswith("unsafe_path: the mask is a link that leads out")


def test_real_magnetic_tiles(real_data):
    indexed = list(rows(real_data / "magnetic_tile").values())
    assert {row.source for row in indexed} == {"masks_beside"}
    assert Counter(row.label for row in indexed) == {
        "good": 260, "blowhole": 40, "break": 35, "uneven": 30, "crack": 25, "fray": 16,
    }  # fmt: skip
    assert all(row.mask_path and not row.problem for row in indexed)
    session_of = {row.path: row.session for row in indexed}
    crack = [f"MT_Crack/Imgs/exp{e}_num_{n}.jpg" for e, n in ((1, 3191), (2, 3211), (3, 3223), (6, 3279))]
    assert {session_of[path] for path in crack} == {"tile_3191"}
    assert len(set(session_of.values())) == 181


def test_real_hazelnuts(real_data):
    indexed = list(rows(real_data / "hazelnut").values())
    counts = Counter((row.source_split, row.label, row.mask_path is not None) for row in indexed)
    assert counts == {("train", "good", False): 28, ("test", "good", False): 6, ("test", "colour", True): 17}


def test_real_films_all_have_defects(real_data):
    indexed = list(rows(real_data / "gdxray_welds").values())
    assert [(row.label, row.session, row.problem) for row in indexed] == [
        ("weld_defect", f"W0001_{number}", None) for number in ("0003", "0004", "0007")
    ]
