"""Exports of labelling tools whose boxes nobody reads."""

import json

import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.sources.image_index import ImageReading, index_images

COCO = {
    "images": [{"id": 0, "file_name": "a.jpg"}],
    "annotations": [{"id": 0, "image_id": 0, "category_id": 1, "bbox": [1, 1, 9, 9]}],
    "categories": [{"id": 1, "name": "crack"}],
}
VOC = "<annotation><folder>x</folder><filename>a.jpg</filename><object><name>crack</name></object></annotation>"


def write(root, files):
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train/a.jpg": "", "train/_annotations.coco.json": COCO}, r"train/_annotations\.coco\.json is a COCO export"),
        ({"train/a.jpg": "", "train/train.json": COCO}, r"train/train\.json is a COCO export"),
        ({"train2017/a.jpg": "", "annotations/instances_train2017.json": COCO}, "is a COCO export"),
        ({"images/default/a.jpg": "", "annotations/instances_default.json": COCO}, "is a COCO export"),
        ({"JPEGImages/a.jpg": "", "Annotations/a.xml": VOC}, r"Annotations/a\.xml is an annotation of Pascal VOC"),
        ({"test/a.jpg": "", "test/a.xml": VOC}, "is an annotation of Pascal VOC"),
        ({"images/a.jpg": "", "annotations.xml": "<?xml?><annotations><image/></annotations>"}, "is a CVAT export"),
        ({"a.jpg": "", "a.json": {"version": "5", "shapes": [], "imagePath": "a.jpg"}}, "is an annotation of labelme"),
        ({"train/a.jpg": "", "train/x.json": [{"image": "a.jpg", "annotations": []}]}, "is a CreateML export"),
        ({"a.jpg": "", "export.json": [{"id": 1, "data": {}, "annotations": []}]}, "is a Label Studio export"),
        ({"a.jpg": "", "via.json": {"a.jpg1": {"filename": "a.jpg", "regions": []}}}, "is a VIA export"),
        (
            {"images/a.jpg": "", "labels/a.txt": "0 0.5 0.5 0.25 0.25\n"},
            r"labels/a\.txt is a label file of YOLO without the yaml or the folders of it",
        ),
        ({"test/a.jpg": "", "test/_annotations.csv": "filename,width,xmin,ymin,xmax,ymax\n"}, "is a csv of boxes"),
    ],
)
def test_export_without_class_folders_is_named_with_the_next_step(tmp_path, files, message):
    write(tmp_path, files)
    with pytest.raises(WeldError, match=f"{message}, which is not read; export it as YOLO") as told:
        index_images(tmp_path, ImageReading())
    assert "\n" not in str(told.value)


def test_class_folders_win_over_exports_beside_them(tmp_path):
    files = {
        "good/a.jpg": "",
        "crack/a.jpg": "",
        "_annotations.coco.json": COCO,
        "crack/a.xml": VOC,
        "crack/a.json": {},
    }
    write(tmp_path, files)
    rows = index_images(tmp_path, ImageReading(good_class="good"))
    assert {row.path: row.label for row in rows} == {"good/a.jpg": "good", "crack/a.jpg": "crack"}
