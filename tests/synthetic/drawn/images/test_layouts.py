import json
import re

import pytest
import yaml

from tests.synthetic.drawn.drawn_images import grey, opened
from weld_pipeline.synthetic.drawn.images.layouts import LAYOUTS
from weld_pipeline.synthetic.drawn.images.plan import pending_images, plan_images

NAMES = {
    "tig_ss304": r"(train|valid|test)/1607\d\d-\d{6}-50mmLens [^/]+/image-\d{4}\.png",
    "tig_al5083": r"(train|valid|test)/1709\d\d-\d{6}-Al 2mm[^/]*/frame_\d{5}\.png",
    "weld_photos": r"(good|bad)_welds/plate\d\d_\d\d\.jpg",
    "riawelc": r"(cr|lp|nd|po)_\d\d\.png",
    "neu": r"(crazing|inclusion|patches|pitted_surface|rolled-in_scale|scratches)_\d+\.jpg",
    "weld_boxes": r"(train|valid|test)/images/SampleV\d_\d+_mp4-\d+_jpg\.rf\.[0-9a-f]{32}\.jpg",
}
# Frames of the TIG sets are 1280 × 700; all others are square.
SIZES = {"tig_ss304": (128, 70), "tig_al5083": (128, 70)}
GREY = {"tig_ss304", "tig_al5083", "riawelc", "neu"}


def plan(layout, width=128, **changes):
    tiny = {"n_sessions_per_class": 3, "n_per_session": 1, "written_share": 0.0, "width": width, "seed": 0}
    return plan_images(layout, **(tiny | changes))


def files(layout):
    return {item.id: item.payload.make() for item in pending_images(plan(layout), n_workers=1).items}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_are_named_as_in_the_data_set(layout):
    assert all(re.fullmatch(NAMES[layout], image.path) for image in plan(layout))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_image_opens_and_says_that_it_is_drawn(layout):
    for drawn in plan(layout):
        image = opened(drawn)
        image.load()
        assert image.size == SIZES.get(layout, (128, 128))
        assert image.mode == ("L" if layout in GREY else "RGB")
        comment = image.info.get("comment", b"").decode() or image.info["Comment"]
        assert "not a recording of a real weld" in comment
        assert grey(drawn).std() > 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_drawing_again_gives_the_same_bytes_in_any_order(layout):
    first, *_, last = plan(layout)
    draw = LAYOUTS[layout].draw
    before = draw(last)
    draw(first)
    assert draw(last) == before


@pytest.mark.parametrize("layout", ["tig_ss304", "tig_al5083"])
def test_json_of_a_split_names_the_class_of_each_of_its_frames(layout):
    drawn = files(layout)
    wanted = {image.path: LAYOUTS[layout].classes.index(image.label) for image in plan(layout)}
    indexed = {
        f"{split}/{path}": number
        for split in ("train", "valid", "test")
        for path, number in json.loads(drawn[f"{split}/{split}.json"]).items()
    }
    assert indexed == wanted
    assert set(drawn) == set(wanted) | {f"{split}/{split}.json" for split in ("train", "valid", "test")}


def test_classes_have_the_numbers_of_the_data_set():
    # The README of the data set (Bacioiu et al. 2019).
    assert LAYOUTS["tig_ss304"].classes == (
        "good_weld",
        "burn_through",
        "contamination",
        "lack_of_fusion",
        "lack_of_shielding_gas",
        "high_travel_speed",
    )


def test_every_frame_on_the_table_has_a_text_of_boxes():
    drawn = files("weld_boxes")
    description = yaml.safe_load(drawn["data.yaml"])
    assert description["names"] == ["Bad Weld", "Good Weld", "Defect"]
    assert description["nc"] == 3
    images = {name for name in drawn if "/images/" in name}
    assert {name.replace("/images/", "/labels/")[:-3] + "txt" for name in images} == {
        n for n in drawn if "/labels/" in n
    }
    for name, content in drawn.items():
        for line in content.decode().splitlines() if name.endswith(".txt") else ():
            number, *box = line.split()
            assert int(number) in {0, 1, 2}
            x, y, w, h = map(float, box)
            assert 0 <= x - w / 2 + 1e-5 <= x + w / 2 <= 1 + 1e-5
            assert 0 <= y - h / 2 + 1e-5 <= y + h / 2 <= 1 + 1e-5
