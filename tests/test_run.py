"""The real graph on a shop of tiny drawn videos, by the commands a user types, in a copy of the project."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from PIL import Image

from tests.runs import BIN, command, copy_layers, kedro_run
from weld_pipeline.core.tables import MANIFEST, PREDICTIONS, checked
from weld_pipeline.decision.policy import Decision
from weld_pipeline.engines.open import ENGINES
from weld_pipeline.runtime import WeldClassifier, WeldDetector
from weld_pipeline.runtime.bundle import load_bundle

FAMILY = "video_classifier"
RECIPES = ("tig_ss304", "weld_photos", "tig_al5083")
DETECTORS = ("patchcore", "student_teacher", "reference")
UP_TO_OUTPUT = ("intermediate", "primary", "feature", "model_input", "models", "model_output")


def read_json(path):
    return json.loads(path.read_text())


def test_every_recording_is_in_the_manifest_and_sessions_do_not_cross(finished):
    manifest = checked(pd.read_parquet(finished / "data/03_primary/footage/manifest.parquet"), MANIFEST)
    drawn = list((finished / "data/01_raw/intel_robotic_welding").rglob("*.avi"))
    assert len(manifest) == len(drawn)
    usable = manifest[manifest["status"] == "ok"]
    assert set(usable["split"]) == {"train", "valid", "calib", "test"}
    assert usable.groupby("session")["split"].nunique().max() == 1


@pytest.mark.parametrize(("family", "n_classes"), [(FAMILY, 12), *zip(RECIPES, (6, 2, 2), strict=True)])
def test_predictions_keep_the_common_schema(finished, family, n_classes):
    predictions = pd.read_parquet(finished / f"data/07_model_output/{family}/predictions.parquet")
    checked(predictions, PREDICTIONS)
    classes = [name.removeprefix("p_") for name in predictions if name.startswith("p_") and name != "p_defect"]
    assert len(classes) == n_classes
    assert "p_defect" in predictions
    assert predictions[[f"p_{name}" for name in classes]].sum(axis=1).round(5).eq(1).all()


@pytest.mark.parametrize("family", [FAMILY, *RECIPES, *DETECTORS])
def test_report_stands_alone_and_says_what_it_is_made_from(finished, family):
    report = (finished / f"data/08_reporting/{family}/evaluation_report.html").read_text()
    assert ("RANDOM WEIGHTS" in report) == (family == FAMILY)  # a package carries the weights of image trunks
    assert "DRAWN DATA" in report
    for outside in ('src="http', 'href="http', "url(http", '<link rel="stylesheet"', "<script src"):
        assert outside not in report


def test_bundle_carries_where_it_came_from(finished):
    provenance = load_bundle(finished / f"data/09_delivery/{FAMILY}/bundle").description.provenance
    assert provenance.weights.is_random
    with sqlite3.connect(finished / "mlflow.db") as database:
        runs = {run for (run,) in database.execute("select run_uuid from runs")}
        tags = dict(
            database.execute("select key, value from tags where run_uuid = ?", (provenance.mlflow_run_id,)).fetchall()
        )
        parents = dict(database.execute("select run_uuid, value from tags where key = 'version.torch'").fetchall())
    assert provenance.mlflow_run_id in runs
    assert tags["data.sha256"] == provenance.data_sha256
    assert {"code.commit", "code.is_dirty"} <= set(tags)
    assert (tags["member"], tags["weights.is_random"]) == (FAMILY, "True")
    assert tags["mlflow.parentRunId"] in parents


@pytest.mark.parametrize("recipe", RECIPES)
def test_images_of_a_recipe_are_ingested_whole_and_their_sessions_do_not_cross(finished, recipe):
    manifest = checked(pd.read_parquet(finished / f"data/03_primary/{recipe}/manifest.parquet"), MANIFEST)
    drawn = [path for path in (finished / f"data/01_raw/{recipe}").rglob("*") if path.suffix in {".png", ".jpg"}]
    assert len(manifest) == len(drawn)
    usable = manifest[manifest["status"] == "ok"]
    assert set(usable["split"]) == {"train", "valid", "calib", "test"}
    assert usable.groupby("session")["split"].nunique().max() == 1


def test_defects_of_the_balanced_recipe_are_as_common_as_good_welds(finished):
    manifest = pd.read_parquet(finished / "data/03_primary/tig_al5083/manifest.parquet")
    for split, rows in manifest[manifest["status"] == "ok"].groupby("split"):
        assert rows["is_defect"].sum() == (~rows["is_defect"].astype(bool)).sum(), split
    left = manifest[manifest["status"] == "quarantined"]
    assert left["reason"].str.startswith("not_drawn").all()
    wanted = read_json(finished / "data/08_reporting/tig_al5083/ingestion/balance.json")
    assert wanted["unfilled"], "a tiny sample cannot fill a thousand images a class, and must say so"


@pytest.mark.parametrize("recipe", RECIPES)
def test_bundle_of_images_says_what_the_predictions_table_says(finished, recipe):
    predictions = pd.read_parquet(finished / f"data/07_model_output/{recipe}/predictions.parquet").set_index(
        "sample_id"
    )
    manifest = pd.read_parquet(finished / f"data/03_primary/{recipe}/manifest.parquet").set_index("sample_id")
    chosen = predictions[predictions["split"] == "test"].head(4)
    classifier = WeldClassifier(finished / f"data/09_delivery/{recipe}/bundle")
    files = [finished / f"data/01_raw/{recipe}" / manifest.loc[name, "path"] for name in chosen.index]
    for (_, row), verdict in zip(chosen.iterrows(), classifier.predict_batch(files), strict=True):
        assert verdict.label == row["predicted"]
        assert verdict.p_defect == pytest.approx(row["p_defect"], abs=1e-3)


def seams_manifest(project):
    return checked(pd.read_parquet(project / "data/03_primary/anomaly_detector/manifest.parquet"), MANIFEST)


def test_detectors_learn_from_good_seams_and_are_judged_on_the_rest(finished):
    manifest = seams_manifest(finished)
    assert set(manifest["status"]) == {"ok"}
    assert set(manifest.loc[manifest["split"] != "test", "label"]) == {"good"}
    judged = manifest[manifest["split"] == "test"]
    assert judged["mask_path"].notna().tolist() == judged["is_defect"].tolist()
    assert {"train", "valid", "calib"} <= set(manifest["split"])


@pytest.mark.parametrize("detector", DETECTORS)
def test_predictions_of_a_detector_keep_the_common_schema(finished, detector):
    table = checked(pd.read_parquet(finished / f"data/07_model_output/{detector}/predictions.parquet"), PREDICTIONS)
    manifest = seams_manifest(finished).set_index("sample_id")
    assert set(table["sample_id"]) == set(manifest.index[manifest["split"] != "train"])
    assert (table["label"] == "anomalous").tolist() == manifest.loc[table["sample_id"], "is_defect"].tolist()
    record = read_json(finished / f"data/06_models/{detector}/decision.json")
    decision = Decision.model_validate({name: value for name, value in record.items() if name != "sha256"})
    assert (table["predicted"] == "anomalous").equals(table["score"] >= decision.policy.threshold)
    # Calib holds good seams alone, so there is a promise and no probability.
    assert (decision.policy.chosen_by, decision.calibrator.platt, "p_defect" in table) == ("conformal", None, False)
    banners = read_json(finished / f"data/08_reporting/{detector}/banners.json")
    assert any(decision.policy.promise in banner for banner in banners)


@pytest.mark.parametrize("detector", DETECTORS)
def test_record_and_images_of_a_detector_tell_what_its_maps_are_worth(finished, detector):
    reporting = finished / f"data/08_reporting/{detector}"
    record = read_json(reporting / "anomaly_metrics.json")
    assert (record["detector"], record["category"], record["n"]) == (detector, "weld_seams", 14)
    for name in ("image_auroc", "image_ap", "pixel_auroc", "aupro"):
        assert 0 <= record[name] <= 1, name
    assert record["pixels"]["n_without_mask"] == 0
    assert len(record["per_kind"]) == 5
    assert np.asarray(Image.open(reporting / "anomaly_sheet.png")).std() > 0


def test_detectors_stand_beside_each_other_in_one_table(finished):
    table = pd.read_csv(finished / "data/08_reporting/detectors/comparison.csv").set_index("detector")
    assert set(table.index) == set(DETECTORS)
    for detector in DETECTORS:
        record = read_json(finished / f"data/08_reporting/{detector}/anomaly_metrics.json")
        for name in ("image_auroc", "pixel_auroc", "aupro"):
            assert table.loc[detector, name] == pytest.approx(record[name])


@pytest.mark.parametrize("detector", DETECTORS)
def test_bundle_of_a_detector_says_what_the_predictions_table_says(finished, detector):
    predictions = pd.read_parquet(finished / f"data/07_model_output/{detector}/predictions.parquet")
    chosen = predictions[predictions["split"] == "test"].iloc[::5]
    bundle = load_bundle(finished / f"data/09_delivery/{detector}/bundle")
    parity = bundle.description.parity
    assert set(parity["engines"]) == set(ENGINES)
    for found in parity["engines"].values():
        assert found["max_difference"]["score"] < parity["tolerances"]["score"]
    judge = WeldDetector(bundle)
    for row in chosen.to_dict("records"):
        said = judge.inspect(finished / "data/01_raw/weld_seams" / row["sample_id"])
        assert said.predicted == row["predicted"]
        assert said.score == pytest.approx(row["score"], rel=1e-3)


def test_seam_is_inspected_by_a_command_and_its_overlay_kept(finished, tmp_path):
    image = finished / "data/01_raw/weld_seams/test/crack/000.png"
    bundle = finished / "data/09_delivery/patchcore/bundle"
    done = command(finished, "weld", "inspect", str(image), f"--bundle={bundle}", f"--store={tmp_path}", "--json")
    assert done.returncode == 0, done.stderr
    (said,) = json.loads(done.stdout)["verdicts"]
    (stored,) = tmp_path.glob("*.json")
    record = read_json(stored)
    assert (record["verdict"], record["score"]) == (said["verdict"], said["score"])
    drawn, seen = Image.open(tmp_path / record["overlay"]), Image.open(image)
    assert drawn.size == seen.size


def test_categories_are_run_one_by_one_and_a_broken_one_is_named(finished, raw_only, tmp_path):
    parts = tmp_path / "parts"
    shutil.copytree(finished / "data/01_raw/weld_seams", parts / "seam")
    shutil.copytree(parts / "seam", parts / "all_bad", ignore=lambda folder, names: names if "good" in folder else [])
    Image.new("L", (9, 9)).save(parts / "seam/ground_truth/crack/000_mask.png")
    arguments = ("categories", str(parts), "--pipeline=patchcore", "--env=test")
    done = command(raw_only, "weld", *arguments)
    assert done.returncode == 2, done.stdout[-3000:] + done.stderr[-3000:]
    assert "categories all_bad left no measures of patchcore" in done.stderr
    assert "no class is called 'good'" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr
    table = pd.read_csv(raw_only / "data/08_reporting/categories/comparison.csv")
    # One of fourteen judged images has a mask of another size.
    assert table[["category", "detector", "n"]].to_numpy().tolist() == [["seam", "patchcore", 13]]
    left = pd.read_csv(raw_only / "data/categories/seam/08_reporting/anomaly_detector/ingestion/quarantine.csv")
    assert left["reason"].str.startswith("mask_size: the mask is 9×9 px").tolist() == [True]
    again = command(raw_only, "weld", *arguments, "--category=seam")
    assert (again.returncode, "seam: finished before, kept" in again.stdout) == (0, True)


def test_recipe_is_added_by_a_file_of_parameters_and_its_catalog_lines(raw_only):
    conf = raw_only / "conf"
    for env in ("base", "test"):
        recipes = conf / env / "parameters_recipes"
        text = (recipes / "weld_photos.yml").read_text()
        (recipes / "press_shop.yml").write_text(text.replace("weld_photos", "press_shop"))
    lines = (
        "press_shop.raw:\n"
        "  type: weld_pipeline.datasets.source_tree.SourceTreeDataset\n"
        "  filepath: ${globals:data}/01_raw/weld_photos\n"
    )
    (conf / "base" / "catalog_press_shop.yml").write_text(lines)
    kedro_run(raw_only, "--pipeline=press_shop", "--to-outputs=press_shop.evaluation")
    record = read_json(raw_only / "data/08_reporting/press_shop/evaluation.json")
    assert record["rates"]["accuracy"]["n"] > 0
    assert not (raw_only / "data/03_primary/weld_photos").exists()


@pytest.mark.parametrize("member", [FAMILY, *RECIPES, *DETECTORS])
def test_member_is_reviewed_in_mlflow_under_the_names_of_all_others(finished, member):
    with sqlite3.connect(finished / "mlflow.db") as database:
        (run,) = [
            run
            for run, parents in database.execute(
                "select r.run_uuid, count(t.key) from runs r left join tags t on t.run_uuid = r.run_uuid"
                " and t.key = 'mlflow.parentRunId' where r.name = ? group by r.run_uuid order by r.start_time limit 1",
                (member,),
            )
            if parents == 1
        ]
        of_run = (run,)
        params = {key for (key,) in database.execute("select key from params where run_uuid = ?", of_run)}
        metrics = dict(
            database.execute("select key, count(*) from metrics where run_uuid = ? group by key", of_run).fetchall()
        )
        (digest,) = database.execute(
            "select d.digest from datasets d join inputs i on i.source_id = d.dataset_uuid where i.destination_id = ?",
            of_run,
        ).fetchone()
        (sha256,) = database.execute(
            "select value from tags where run_uuid = ? and key = 'data.sha256'", of_run
        ).fetchone()
    rates = read_json(finished / f"data/08_reporting/{member}/evaluation.json")["rates"]
    for name in ("accuracy", "balanced_accuracy", "escape_rate", "false_reject_rate", "auroc"):
        # Samples of one session have no interval over sessions, so MLflow gets none.
        ends = set() if rates[name]["low"] is None else {f"{name}.low", f"{name}.high"}
        assert {key for key in metrics if key == name or key.startswith(f"{name}.")} == {name} | ends
    # Detectors are calibrated on good seams alone here, so they state no probability that could be wrong.
    assert ("ece" in metrics) == (member not in DETECTORS)
    assert {"trunk.weights", "evaluation.split"} <= params
    assert not [name for name in params if name.startswith(member)]
    assert any(count > 1 for name, count in metrics.items() if "loss" in name) == (
        member not in {"patchcore", "reference"}
    ), "what was trained has an epoch axis"
    assert sha256.startswith(digest)
    artifacts = {path.name for path in (finished / "mlruns").rglob(f"{run}/artifacts/**/*") if path.is_file()}
    assert {"confusion_matrix.png", "evaluation_report.html", "model.onnx"} <= artifacts
    assert (member in DETECTORS) == ("anomaly_sheet.png" in artifacts)


def test_second_run_extracts_no_feature_again_and_gives_the_same_predictions(finished, raw_only):
    members = (FAMILY, *DETECTORS)
    copy_layers(finished, raw_only, *(f"0{number}_{name}" for number, name in enumerate(UP_TO_OUTPUT, start=2)))
    stores = [raw_only / f"data/04_feature/{FAMILY}/clip_features"]
    stores += [raw_only / f"data/05_model_input/{name}/images" for name in DETECTORS]
    stores += [raw_only / f"data/06_models/{name}/anomaly_maps" for name in DETECTORS]

    def kept():
        files = [path for folder in stores for path in folder.rglob("*.safetensors")]
        tables = [raw_only / f"data/07_model_output/{member}/predictions.parquet" for member in members]
        return {path: path.stat().st_mtime_ns for path in files}, [path.read_bytes() for path in tables]

    before = kept()
    assert all(any(folder.rglob("*.safetensors")) for folder in stores)
    kedro_run(raw_only, "--pipelines=feature_extraction,training,calibration", f"--tags={','.join(members)}")
    assert kept() == before


def test_extraction_killed_midway_resumes_to_the_same_bytes(finished, raw_only):
    features = raw_only / f"data/04_feature/{FAMILY}/clip_features"
    shutil.copytree(finished / "data/04_feature", raw_only / "data/04_feature", ignore=shutil.ignore_patterns("clip_*"))
    # A dozen recordings tell as much as all.
    some = pd.read_parquet(finished / "data/03_primary/footage/manifest.parquet").query("status == 'ok'").head(12)
    (raw_only / "data/03_primary/footage").mkdir(parents=True)
    some.to_parquet(raw_only / "data/03_primary/footage/manifest.parquet")
    extract = f"--nodes={FAMILY}.feature_extraction.extract_clip_features"
    arguments = [str(BIN / "kedro"), "run", "--env=test", extract]
    with subprocess.Popen(arguments, cwd=raw_only, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 240
        while len(list(features.rglob("*.safetensors"))) < 3:
            assert process.poll() is None, "ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    kept = {path: path.stat().st_mtime_ns for path in features.rglob("*.safetensors")}
    assert not (features / "index.json").exists()
    kedro_run(raw_only, extract)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    whole = finished / f"data/04_feature/{FAMILY}/clip_features"
    names = sorted(f"{sample_id}.safetensors" for sample_id in some["sample_id"])
    assert sorted(str(path.relative_to(features)) for path in features.rglob("*.safetensors")) == names
    assert [name for name, _ in read_json(features / "index.json")["items"]] == some["sample_id"].tolist()
    for name in names:
        assert (features / name).read_bytes() == (whole / name).read_bytes(), name


def test_wrong_parameter_stops_before_any_node(raw_only):
    done = command(raw_only, "kedro", "run", "--env=test", "--params=video_classifier.windows.strid=8")
    assert done.returncode == 1
    assert "strid" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not (raw_only / "data/02_intermediate").exists()


def test_missing_footage_is_said_in_one_line(raw_only):
    done = command(
        raw_only, "kedro", "run", "--env=test", "--pipeline=ingestion", "--params=footage.source_root=nowhere"
    )
    assert done.returncode == 1
    assert "nowhere does not exist" in " ".join(done.stderr.split())  # a terminal's width wraps it
    assert "Traceback" not in done.stderr


def test_strict_environment_stops_without_weights_before_any_work(raw_only):
    environment = os.environ | {"TORCH_HOME": str(raw_only / "cache"), "https_proxy": "http://127.0.0.1:9"}
    done = command(raw_only, "kedro", "run", "--env=production", "--pipeline=video_classifier", env=environment)
    assert done.returncode == 1
    assert "r3d_18" in done.stderr
    assert not (raw_only / "data/04_feature").exists()


def test_lineage_is_built_as_pages_without_a_network(finished):
    done = command(finished, "kedro", "viz", "build", env=os.environ | {"https_proxy": "http://127.0.0.1:9"})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    graph = read_json(finished / "build/api/main")
    assert "circular" not in done.stdout + done.stderr
    assert set(graph["layers"]) == {
        "raw", "intermediate", "primary", "feature", "model_input", "models", "model_output", "reporting", "delivery",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["0.1-explore-and-audit-a-data-set", "0.2-review-a-run"])
def test_notebook_runs_over_the_catalog(finished, name, monkeypatch):
    monkeypatch.setenv("KEDRO_ENV", "test")
    notebook = nbformat.read(finished / "notebooks" / f"{name}.ipynb", as_version=4)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(finished)}}
    ).execute()
