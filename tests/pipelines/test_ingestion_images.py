"""The ingestion of pictures, in the namespace of a recipe, on small folders and on real ones."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import ParquetDataset
from PIL import Image
from pydantic import ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import MANIFEST
from weld_pipeline.datasets.item_store import ItemStoreDataset
from weld_pipeline.datasets.source_tree import SourceTreeDataset
from weld_pipeline.pipelines.ingestion import create_image_pipeline
from weld_pipeline.pipelines.ingestion.params import (
    BalanceParams,
    ContactSheetParams,
    ImageIndexParams,
    PictureProbeParams,
    SplitParams,
)

IDS = {0: "good_weld", 1: "burn_through", 2: "contamination"}
SS304 = IDS | {3: "lack_of_fusion", 4: "lack_of_shielding_gas", 5: "high_travel_speed"}
INDEX = {
    "layout": "auto",
    "good_class": "good_weld",
    "class_aliases": {},
    "classes": None,
    "class_ids": IDS,
    "session_pattern": None,
    "label_priority": [],
    "label_if_empty": None,
    "labels_file": "labels.csv",
}
SPLIT = {
    "scheme": "sessions",
    "session": "date",
    "keep_copies_together": True,
    "fractions": {"train": 0.5, "valid": 0.2, "calib": 0.1, "test": 0.2},
    "allow_leakage": False,
    "seed": 0,
}
BALANCE = {"defect_class": "defect", "per_class": {"train": 8, "valid": 2, "calib": 2, "test": 2}, "seed": 0}
AS_SOURCE = {"scheme": "manifest", "fractions": {"train": 0.8, "valid": 0.2, "calib": 0, "test": 0}}


def catalog(root, data, *, index=None, split=None, balance=None):
    params = {
        "index": ImageIndexParams(**INDEX | (index or {})),
        "probe": PictureProbeParams(max_pixels=1_000_000, thumbnail_px=64, n_workers=1),
        "split": SplitParams(**SPLIT | (split or {})),
        "balance": BalanceParams(**balance) if balance else None,
        "contact_sheet": ContactSheetParams(n_usable=8, n_quarantined=4, n_columns=4, tile_px=80),
    }
    made = DataCatalog({"tig.manifest": MemoryDataset(), "tig.image_contact_sheet": MemoryDataset()})
    for name in ("image_index", "near_duplicates", "proposed_manifest", "quarantine"):
        made[f"tig.{name}"] = ParquetDataset(filepath=str(data / f"{name}.parquet"))
    for name in ("split_audit", "balance_report"):
        made[f"tig.{name}"] = JSONDataset(filepath=str(data / f"{name}.json"))
    made["tig.raw_images"] = SourceTreeDataset(filepath=str(root))
    made["tig.image_probes"] = ItemStoreDataset(filepath=str(data / "image_probes"), kind="json")
    for name, value in params.items():
        made[f"params:tig.{name}"] = MemoryDataset(value)
    return made


@pytest.fixture
def ingest(tmp_path):
    def run(root, **changes):
        made = catalog(root, tmp_path / "data", **changes)
        SequentialRunner().run(create_image_pipeline("tig"), made)
        return made

    return run


def frame(path, *, seed, form=None):
    """A picture like no other: 12 × 9 random patches."""
    path.parent.mkdir(parents=True, exist_ok=True)
    patches = np.random.default_rng(seed).integers(0, 256, (9, 12), dtype=np.uint8)
    Image.fromarray(patches).resize((96, 72), Image.Resampling.BICUBIC).save(path, form)


@pytest.fixture
def tree(tmp_path):
    """Twelve runs of four frames, four runs a class, in two splits."""
    root = tmp_path / "raw"
    for split, runs in (("train", range(8)), ("valid", range(8, 12))):
        entries = {}
        for run in runs:
            for number in range(4):
                name = f"1607{run:02}-11 run {run}/image-{number:04}.png"
                frame(root / split / name, seed=100 * run + number)
                entries[name] = run % 3
        (root / split / f"{split}.json").write_text(json.dumps(entries))
    return root


def test_frames_are_split_by_whole_runs(ingest, tree):
    made = ingest(tree)
    manifest = made["tig.manifest"].load()
    MANIFEST.validate(manifest)
    assert (len(manifest), set(manifest["status"]), set(manifest["media"])) == (48, {"ok"}, {"image"})
    assert manifest.groupby("session")["split"].nunique().tolist() == [1] * 12
    assert set(manifest["split"]) == {"train", "valid", "calib", "test"}
    assert made["tig.balance_report"].load() == {}
    assert made["tig.image_contact_sheet"].load().shape[1] == 4 * 90 + 10


def test_every_bad_picture_is_quarantined_with_its_reason_and_none_is_lost(ingest, tree):
    run = tree / "train/160700-11 run 0"
    entries = json.loads((tree / "train/train.json").read_text())
    bad = {"empty": b"", "not_a_picture": b"no picture", "truncated": (run / "image-0000.png").read_bytes()[:-900]}
    for name, content in bad.items():
        (run / f"{name}.png").write_bytes(content)
        entries[f"{run.name}/{name}.png"] = 0
    Image.new("1", (2000, 1000)).save(run / "too_large.png")
    Image.new("F", (8, 8)).save(run / "unsupported.png", "TIFF")
    (run / "duplicate.png").write_bytes((run / "image-0001.png").read_bytes())
    frame(run / "unlisted.png", seed=7)
    entries |= {f"{run.name}/{name}.png": 0 for name in ("too_large", "unsupported", "missing")}
    entries |= {f"{run.name}/duplicate.png": 0, f"{run.name}/unknown_class.png": 9}
    frame(run / "unknown_class.png", seed=8)
    (tree / "train/train.json").write_text(json.dumps(entries))
    made = ingest(tree)
    manifest = made["tig.manifest"].load()
    assert len(manifest) == 48 + 9
    quarantined = manifest[manifest["status"] == "quarantined"]
    names = quarantined["path"].str.split("/").str[-1].str.removesuffix(".png")
    # Each bad file is named for its trouble. Of two files of the same bytes the first is kept, image-0001.png.
    assert quarantined["reason"].str.split(":").str[0].tolist() == names.tolist()
    assert made["tig.split_audit"].load()["quarantined_by_reason"] == dict.fromkeys(sorted(names), 1)
    assert len(made["tig.quarantine"].load()) == 9


def test_split_of_the_source_gives_train_and_valid_alone(ingest, tree):
    made = ingest(tree, split=AS_SOURCE)
    manifest = made["tig.manifest"].load()
    assert manifest.groupby("split").size().to_dict() == {"train": 32, "valid": 16}
    assert made["tig.split_audit"].load()["splits"]["test"]["n"] == 0


def test_classes_are_balanced_within_their_splits(ingest, tree):
    made = ingest(tree, split=AS_SOURCE, balance=BALANCE)
    manifest, report = made["tig.manifest"].load(), made["tig.balance_report"].load()
    usable = manifest[manifest["status"] == "ok"]
    assert pd.crosstab(usable["label"], usable["split"]).to_dict() == {
        "train": {"defect": 8, "good_weld": 8},
        "valid": {"defect": 2, "good_weld": 2},
    }
    assert len(manifest) == 48
    kinds = made["tig.image_index"].load().set_index("sample_id")["label"]
    drawn = kinds.loc[usable.loc[(usable["split"] == "train") & usable["is_defect"], "sample_id"]]
    assert drawn.value_counts().to_dict() == {"burn_through": 4, "contamination": 4}
    assert [sentence.split(":")[0] for sentence in report["unfilled"]] == ["calib", "test"]


def test_nothing_can_be_balanced_without_a_good_class(ingest, tree):
    with pytest.raises(WeldError, match="there is no good class to balance; set balance to null"):
        ingest(tree, index={"good_class": None}, balance=BALANCE)


def test_run_in_two_splits_stops_after_the_audit(ingest, tree, tmp_path):
    name = "160700-11 run 0/image-9.png"
    frame(tree / "valid" / name, seed=9)
    entries = json.loads((tree / "valid/valid.json").read_text()) | {name: 0}
    (tree / "valid/valid.json").write_text(json.dumps(entries))
    with pytest.raises(WeldError, match=r"1 session\(s\) stand in more than one split: 160700-11 run 0"):
        ingest(tree, split=AS_SOURCE)
    made = ingest(tree, split=AS_SOURCE | {"allow_leakage": True})
    assert made["tig.split_audit"].load()["banners"][0].startswith("LEAKAGE ALLOWED: 1 session(s)")


def test_copy_of_a_frame_in_another_run_keeps_both_runs_together(ingest, tree):
    source = tree / "train/160700-11 run 0/image-0000.png"
    copy = tree / "train/160705-11 run 5/copy.png"
    Image.open(source).resize((64, 48)).save(copy)
    entries = json.loads((tree / "train/train.json").read_text()) | {"160705-11 run 5/copy.png": 0}
    (tree / "train/train.json").write_text(json.dumps(entries))
    made = ingest(tree)
    pairs = made["tig.near_duplicates"].load().to_numpy().tolist()
    assert [sorted(pair) for pair in pairs] == [
        [source.relative_to(tree).as_posix(), copy.relative_to(tree).as_posix()]
    ]
    split_of = made["tig.manifest"].load().groupby("session")["split"].first()
    assert split_of["160700-11 run 0"] == split_of["160705-11 run 5"]


def test_every_dataset_and_parameter_lies_in_the_namespace():
    pipeline = create_image_pipeline("weld_photos")
    assert all(name.removeprefix("params:").startswith("weld_photos.") for name in pipeline.datasets())
    assert pipeline.inputs() == {
        "weld_photos.raw_images",
        *(f"params:weld_photos.{name}" for name in ("index", "probe", "split", "balance", "contact_sheet")),
    }
    assert "weld_photos.manifest" in pipeline.outputs()


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (ImageIndexParams, INDEX | {"layuot": "tig"}, "Extra inputs are not permitted"),
        (ImageIndexParams, INDEX | {"layout": "coco"}, "'tig', 'yolo'"),
        (PictureProbeParams, {"max_pixels": 10**9, "thumbnail_px": 64, "n_workers": 1}, "less than or equal to 178"),
        (BalanceParams, BALANCE | {"per_class": {"train": 5}}, "names no number for valid, calib, test"),
        (BalanceParams, BALANCE | {"per_class": BALANCE["per_class"] | {"test": -1}}, "greater than or equal to 0"),
    ],
)
def test_wrong_parameter_is_refused_before_anything_runs(model, values, message):
    with pytest.raises(ValidationError, match=message):
        model(**values)


def test_class_ids_may_come_as_text_from_a_configuration_file():
    assert ImageIndexParams(**INDEX | {"class_ids": {"0": "good_weld"}}).class_ids == {0: "good_weld"}


def test_real_tig_frames_keep_the_split_of_their_source(ingest, real_data):
    made = ingest(real_data / "tig_ss304", index={"class_ids": SS304}, split=AS_SOURCE)
    manifest, audit = made["tig.manifest"].load(), made["tig.split_audit"].load()
    assert pd.crosstab(manifest["split"], manifest["label"]).to_numpy().tolist() == [[10] * 6] * 2
    assert (audit["n_ok"], audit["n_sessions"], audit["n_near_duplicates"]) == (120, 27, 0)
    assert audit["crossings"] == {"sessions": {}, "near_duplicates": []}


def copy_photo(picture, folder):
    for kind, suffix in (("images", ".jpg"), ("labels", ".txt")):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        shutil.copy(picture.parents[1] / kind / f"{picture.stem}{suffix}", folder / kind)


def test_real_photos_are_split_by_series(ingest, real_data, tmp_path):
    for number, picture in enumerate(sorted((real_data / "weld_photos/train/images").iterdir())):
        if number % 4 == 0:  # a quarter tells as much
            copy_photo(picture, tmp_path / "photos/train")
    shutil.copy(real_data / "weld_photos/data.yaml", tmp_path / "photos")
    index = {
        "label_priority": ["Defect", "Bad Weld", "Good Weld"],
        "class_aliases": {"Good Weld": "good_weld", "Bad Weld": "bad_weld", "Defect": "bad_weld"},
    }
    made = ingest(tmp_path / "photos", index=index)
    usable = made["tig.manifest"].load().query("status == 'ok'")
    assert usable.groupby("session")["split"].nunique().max() == 1
    assert (pd.crosstab(usable["split"], usable["label"]) > 0).to_numpy().all()
    assert made["tig.split_audit"].load()["n_rows"] == 80


def test_real_radiographs_are_all_usable(ingest, real_data):
    made = ingest(real_data / "riawelc", index={"good_class": "no_defect"})
    assert made["tig.split_audit"].load()["n_ok"] == 40
