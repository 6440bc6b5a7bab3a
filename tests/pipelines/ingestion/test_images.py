"""The ingestion of images, in the namespace of a recipe, on small folders and on real ones."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from PIL import Image
from pydantic import ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.tables import MANIFEST
from weld_pipeline.datasets.item_store import ItemStoreDataset
from weld_pipeline.datasets.json_value import JsonDataset
from weld_pipeline.datasets.source_tree import SourceTreeDataset
from weld_pipeline.datasets.table import ParquetDataset
from weld_pipeline.pipelines.ingestion import create_pipeline
from weld_pipeline.pipelines.ingestion.params import (
    BalanceParams,
    ContactSheetParams,
    ImageIndexParams,
    ImageProbeParams,
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
    "mask_folders": None,
    "labels_file": "labels.csv",
}
SPLIT = {
    "scheme": "sessions",
    "defects_in_train": "allow",
    "test_to_calib": 0.0,
    "session": "date",
    "keep_copies_together": True,
    "fractions": {"train": 0.5, "valid": 0.2, "calib": 0.1, "test": 0.2},
    "allow_leakage": False,
    "seed": 0,
}
BALANCE = {"defect_class": "defect", "per_class": {"train": 8, "valid": 2, "calib": 2, "test": 2}, "seed": 0}
AS_SOURCE = {"scheme": "manifest", "fractions": {"train": 0.8, "valid": 0.2, "calib": 0, "test": 0}}


def test_unused_fractions_need_not_sum_to_one_where_the_source_splits():
    shares = {"train": 0.8, "valid": 0.8, "calib": 0.1, "test": 0.9}
    assert SplitParams(**SPLIT | {"scheme": "manifest", "fractions": shares}).fractions == shares
    for scheme in ("auto", "sessions"):  # these may deal all four
        with pytest.raises(ValidationError, match="must sum to 1"):
            SplitParams(**SPLIT | {"scheme": scheme, "fractions": shares})
    with pytest.raises(ValidationError, match="leave train nothing"):
        SplitParams(**SPLIT | {"scheme": "manifest", "fractions": shares | {"train": 0}})


def catalog(root, data, *, index=None, split=None, balance=None, max_pixels=1_000_000, sample_bits=None):
    params = {
        "index": ImageIndexParams(**INDEX | (index or {})),
        "probe": ImageProbeParams(max_pixels=max_pixels, sample_bits=sample_bits, thumbnail_px=64, n_workers=1),
        "split": SplitParams(**SPLIT | (split or {})),
        "balance": BalanceParams(**balance) if balance else None,
        "contact_sheet": ContactSheetParams(n_usable=8, n_quarantined=4, n_columns=4, tile_px=80),
    }
    made = DataCatalog({"tig.manifest": MemoryDataset(), "tig.contact_sheet": MemoryDataset()})
    for name in ("index", "near_duplicates", "proposed_manifest", "quarantine"):
        made[f"tig.{name}"] = ParquetDataset(filepath=str(data / f"{name}.parquet"))
    for name in ("split_audit", "balance_report"):
        made[f"tig.{name}"] = JsonDataset(filepath=str(data / f"{name}.json"))
    made["tig.raw"] = SourceTreeDataset(filepath=str(root))
    made["tig.probes"] = ItemStoreDataset(filepath=str(data / "probes"), kind="json")
    for name, value in params.items():
        made[f"params:tig.{name}"] = MemoryDataset(value)
    return made


@pytest.fixture
def ingest(tmp_path):
    def run(root, **changes):
        made = catalog(root, tmp_path / "data", **changes)
        SequentialRunner().run(create_pipeline("tig", media="image"), made)
        return made

    return run


def frame(path, *, seed, form=None):
    """An image like no other: 12 × 9 random patches."""
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
    assert made["tig.contact_sheet"].load().shape[1] == 4 * 90 + 10


def test_masks_beside_classes_are_ingested_with_their_images_and_no_entry_is_lost(ingest, tmp_path):
    root = tmp_path / "raw"
    for n in range(12):
        frame(root / f"good/{n:03}.png", seed=n)
    mask = np.zeros((72, 96), dtype=np.uint8)
    mask[4:8, 4:40] = 255
    for number, kind in enumerate(("crack", "pore")):
        for n in range(3):
            frame(root / f"{kind}/{n:03}.png", seed=100 + 10 * number + n)
            for part in range(1 + number):  # a pore has two masks, one below the other
                path = root / f"Masks/{kind}/{n:03}/{part}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.roll(mask, 10 * part, axis=0)).save(path)
    (root / "crack/gone.png").symlink_to(root / "nothing.png")
    (root / "dataset.json").write_text('{"title": "seams"}')
    Path(os.fsdecode(os.fsencode(root) + b"/pore/ri\xdf.png")).write_bytes(b"")
    made = ingest(root, index={"good_class": "good"})
    manifest = made["tig.manifest"].load().set_index("path")
    assert (len(manifest), int(manifest["mask_path"].notna().sum())) == (20, 6)
    quarantined = manifest.loc[manifest["status"] == "quarantined", "reason"]
    assert sorted(quarantined.str.partition(":")[0]) == ["bad_name", "missing"]
    assert (manifest.loc["pore/001.png", "mask_path"], manifest.loc["crack/001.png", "mask_path"]) == (
        "Masks/pore/001",
        "Masks/crack/001/0.png",
    )
    probes = made["tig.probes"].load()
    assert (probes["pore/001.png"]["mask_px"], probes["crack/001.png"]["mask_px"]) == (288, 144)


def test_every_bad_image_is_quarantined_with_its_reason_and_none_is_lost(ingest, tree):
    run = tree / "train/160700-11 run 0"
    entries = json.loads((tree / "train/train.json").read_text())
    bad = {"empty": b"", "not_an_image": b"no image", "truncated": (run / "image-0000.png").read_bytes()[:-900]}
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
    kinds = made["tig.index"].load().set_index("sample_id")["label"]
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


@pytest.fixture
def products(tmp_path):
    """Twenty good images to train on; six good and twelve defective ones to test, masks to all but one of these."""
    root = tmp_path / "products"
    for n in range(20):
        frame(root / f"train/good/{n:03}.png", seed=n)
    for n in range(6):
        frame(root / f"test/good/{n:03}.png", seed=100 + n)
    for n in range(12):
        frame(root / f"test/crack/{n:03}.png", seed=200 + n)
        mask = np.zeros((72, 96), dtype=np.uint8)
        mask[: n % 6] = 255  # of 000 and 006 it is empty
        path = root / f"ground_truth/crack/{n:03}_mask.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
    (root / "ground_truth/crack/011_mask.png").unlink()
    return root


FOR_DETECTORS = {"defects_in_train": "refuse"}
AS_PUBLISHED = FOR_DETECTORS | {"scheme": "manifest"}
GOOD = {"good_class": "good"}


def test_detector_is_fitted_on_the_train_of_its_source_and_tested_on_its_whole_test(ingest, products):
    made = ingest(products, index=GOOD, split=AS_PUBLISHED)
    manifest, audit = made["tig.manifest"].load(), made["tig.split_audit"].load()
    assert pd.crosstab(manifest["label"], manifest["split"]).to_dict() == {
        # 0.5 : 0.2 : 0.1 of 20.
        "train": {"crack": 0, "good": 12},
        "valid": {"crack": 0, "good": 5},
        "calib": {"crack": 0, "good": 3},
        "test": {"crack": 12, "good": 6},
    }
    assert audit["masks"]["test"] == {"marked": 9, "empty": 2, "without": 1}
    assert any("2 defective image(s) have an empty mask" in sentence for sentence in audit["warnings"])
    assert manifest["mask_path"].notna().sum() == 11


def test_mask_over_half_of_its_image_is_named_in_the_audit(ingest, products):
    mask = min((products / "ground_truth").rglob("*.png"))
    with Image.open(mask) as image:
        inverted = image.point(lambda value: 255 - value)
    inverted.save(mask)
    (warning,) = (
        each
        for each in ingest(products, index=GOOD, split=AS_PUBLISHED)["tig.split_audit"].load()["warnings"]
        if "over half" in each
    )
    assert warning.startswith("1 mask(s) mark over half of the image, as inverted ones do: ")


def test_low_samples_of_16_bits_warn_in_the_audit_until_their_bits_are_stated(ingest, tree):
    names = sorted((tree / "train").rglob("*.png"))[:2]
    for name in names:
        with Image.open(name) as image:
            Image.fromarray(np.asarray(image).astype(np.uint16) * 16 + 1).save(name)
    made = ingest(tree)
    warnings = made["tig.split_audit"].load()["warnings"]
    (warning,) = (each for each in warnings if each.startswith("low_values: "))
    assert "so 12 bits hold them" in warning
    assert "2 row(s): " in warning
    assert made["tig.proposed_manifest"].load()["sample_bits"].isna().all()
    made = ingest(tree, sample_bits=12)
    assert not [each for each in made["tig.split_audit"].load()["warnings"] if "low_values" in each]
    assert set(made["tig.proposed_manifest"].load()["sample_bits"]) == {12}


def test_part_of_the_defects_of_test_can_be_given_to_calib(ingest, products):
    made = ingest(products, index=GOOD, split=AS_PUBLISHED | {"test_to_calib": 0.25})
    counts = pd.crosstab(made["tig.manifest"].load()["label"], made["tig.manifest"].load()["split"])
    assert counts.loc["crack"].to_dict() == {"calib": 3, "test": 9, "train": 0, "valid": 0}


def test_detector_can_be_dealt_anew_by_sessions(ingest, products):
    made = ingest(products, index=GOOD, split=FOR_DETECTORS)
    manifest = made["tig.manifest"].load()
    assert not manifest.loc[manifest["split"] == "train", "is_defect"].any()
    assert (pd.crosstab(manifest["split"], manifest["label"]).drop("train") > 0).to_numpy().all()


def test_defect_in_the_sources_train_stops_the_split(ingest, products):
    frame(products / "train/crack/900.png", seed=900)
    with pytest.raises(WeldError, match=r"1 defective image\(s\) stand in train.* train/crack/900\.png \(crack\)"):
        ingest(products, index=GOOD, split=AS_PUBLISHED)


def test_auto_follows_the_source_while_its_train_holds_no_defect(ingest, products):
    auto = FOR_DETECTORS | {"scheme": "auto"}
    followed = ingest(products, index=GOOD, split=auto)["tig.manifest"].load()
    assert followed.loc[followed["path"].str.startswith("test/"), "split"].eq("test").all()
    frame(products / "train/crack/900.png", seed=900)
    dealt = ingest(products, index=GOOD, split=auto)["tig.manifest"].load()
    assert not dealt.loc[dealt["split"] == "train", "is_defect"].any()
    assert set(dealt.loc[dealt["path"].str.startswith("test/"), "split"]) != {"test"}


def test_class_folders_and_frames_of_runs_serve_detectors_too(ingest, tree):
    made = ingest(tree, split=FOR_DETECTORS)
    manifest = made["tig.manifest"].load()
    assert set(manifest.loc[manifest["split"] == "train", "label"]) == {"good_weld"}
    assert made["tig.split_audit"].load()["masks"] == {}


def test_mask_of_another_size_quarantines_its_image(ingest, products):
    Image.new("L", (72, 96)).save(products / "ground_truth/crack/003_mask.png")
    manifest = ingest(products, index=GOOD, split=AS_PUBLISHED)["tig.manifest"].load().set_index("sample_id")
    assert manifest.loc["test/crack/003.png", "reason"].startswith("mask_size: the mask is 72×96 px, its image 96×72")
    assert (manifest["status"] == "quarantined").sum() == 1


def test_every_dataset_and_parameter_lies_in_the_namespace():
    pipeline = create_pipeline("weld_photos", media="image")
    assert all(name.removeprefix("params:").startswith("weld_photos.") for name in pipeline.datasets())
    assert pipeline.inputs() == {
        "weld_photos.raw",
        *(f"params:weld_photos.{name}" for name in ("index", "probe", "split", "balance", "contact_sheet")),
    }
    assert "weld_photos.manifest" in pipeline.outputs()


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (ImageIndexParams, INDEX | {"layuot": "tig"}, "Extra inputs are not permitted"),
        (ImageIndexParams, INDEX | {"layout": "coco"}, "'tig', 'yolo'"),
        (SplitParams, SPLIT | {"defects_in_train": "forbid"}, "'allow', 'refuse' or 'clean_tiles'"),
        (SplitParams, SPLIT | {"test_to_calib": 1.5}, "less than or equal to 1"),
        (ImageProbeParams, {"max_pixels": 10**9, "thumbnail_px": 64, "n_workers": 1}, "less than or equal to 178"),
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


def copy_photo(image, folder):
    for kind, suffix in (("images", ".jpg"), ("labels", ".txt")):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        shutil.copy(image.parents[1] / kind / f"{image.stem}{suffix}", folder / kind)


def test_real_photos_are_split_by_series(ingest, real_data, tmp_path):
    for number, image in enumerate(sorted((real_data / "weld_photos/train/images").iterdir())):
        if number % 4 == 0:  # a quarter tells as much
            copy_photo(image, tmp_path / "photos/train")
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


DETECTOR_SHARES = {"train": 0.5, "valid": 0.1, "calib": 0.15, "test": 0.25}


def test_real_magnetic_tiles_are_dealt_by_tile_and_train_on_good_ones(ingest, real_data):
    made = ingest(real_data / "magnetic_tile", index=GOOD, split=FOR_DETECTORS | {"fractions": DETECTOR_SHARES})
    manifest, audit = made["tig.manifest"].load(), made["tig.split_audit"].load()
    counts = pd.crosstab(manifest["label"], manifest["split"])
    assert counts["train"].to_dict() == {"blowhole": 0, "break": 0, "crack": 0, "fray": 0, "good": 130, "uneven": 0}
    assert (counts[["valid", "calib", "test"]] > 0).to_numpy().all()
    assert (audit["n_ok"], audit["n_sessions"], audit["crossings"]["sessions"]) == (406, 181, {})
    # Two of the set's masks mark nothing though the tile is uneven.
    assert sum(split["empty"] for split in audit["masks"].values()) == 2


def test_real_hazelnuts_keep_the_test_of_their_source(ingest, real_data):
    made = ingest(real_data / "hazelnut", index=GOOD, split=AS_PUBLISHED | {"fractions": DETECTOR_SHARES})
    counts = pd.crosstab(made["tig.manifest"].load()["label"], made["tig.manifest"].load()["split"])
    assert counts["test"].to_dict() == {"colour": 17, "good": 6}
    assert counts.loc["good"].drop("test").sum() == 28


def test_real_films_train_on_their_clean_tiles(ingest, real_data):
    made = ingest_films(ingest, real_data)
    manifest = made["tig.manifest"].load()
    assert sorted(manifest["split"]) == ["calib", "test", "train"]
    assert set(manifest["label"]) == {"weld_defect"}
    with pytest.raises(WeldError, match="no usable image is good"):
        ingest_films(ingest, real_data, defects_in_train="refuse")


def ingest_films(ingest, real_data, *, defects_in_train="clean_tiles"):
    fractions = {"train": 0.34, "valid": 0.0, "calib": 0.33, "test": 0.33}
    split = {"defects_in_train": defects_in_train, "fractions": fractions}
    return ingest(real_data / "gdxray_welds", index=GOOD, split=split, max_pixels=10_000_000)
