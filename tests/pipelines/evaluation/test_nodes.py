"""The evaluation template on a small family."""

from dataclasses import replace

import av
import numpy as np
import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from pydantic import ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.core.tables import MANIFEST, PREDICTIONS, checked
from weld_pipeline.decision.policy import Calibrator, ClassPolicy, Decision, Platt, ProbabilityPolicy
from weld_pipeline.pipelines.evaluation import create_pipeline
from weld_pipeline.pipelines.families import FAMILIES, VIDEO_CLASSIFIER
from weld_pipeline.pipelines.params import EvaluationParams

CLASSES = ("Crack", "Good", "Pore")
WEIGHTS = {"name": "r3d_18.random", "source": "torch, seed 0", "sha256": "0", "licence": "none", "is_random": True}
UNCALIBRATED = Decision(calibrator=None, policy=ClassPolicy(kind="class", good_class="Good"))
CALIBRATED = Decision(
    calibrator=Calibrator(
        temperature=1.0, platt=Platt(a=-1.0, b=0.0), no_probability=None, split="calib", n_good=8, n_defect=16
    ),
    policy=ProbabilityPolicy(kind="p_defect", threshold=0.5),
)
PARAMS = {
    "split": "test",
    "level": 0.95,
    "n_resamples": 100,
    "seed": 0,
    "min_sessions": 5,
    "min_samples": 10,
    "n_bins": 5,
    "aupro_max_fpr": "auto",
    "n_mistakes": 2,
    "n_frames": 2,
}


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    root = tmp_path_factory.mktemp("footage")
    with av.open(str(root / "film.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for level in range(50, 250, 20):
            frame = np.full((32, 64, 3), level, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return SourceTree(root)


def manifest(n=72):
    rows = np.arange(n)
    table = pd.DataFrame({name: [None] * n for name in MANIFEST.columns}).assign(
        sample_id=[f"run/{row:03d}" for row in rows],
        source="intel",
        media="video",
        path="film.avi",
        label=[CLASSES[row // 3 % 3] for row in rows],  # every split holds every class
        is_defect=rows // 3 % 3 != 1,
        split=["train", "calib", "test"] * (n // 3),
        session=[f"day {row // 6} {row % 3}" for row in rows],
        config=[f"set-up {row % 2}" for row in rows],
        arc_start_s=0.2,
        arc_on_s=0.6,
        mean_luma=60.0 + rows % 5,
        sha256="f00d",
        status="ok",
    )
    return checked(table, MANIFEST)


def predictions(rows):
    rows = rows[rows["split"] != "train"].reset_index(drop=True)
    said = rows["label"].where(rows.index % 5 != 0, "Good").to_numpy()
    p = 0.05 + 0.85 * (said[:, None] == np.array(CLASSES))
    table = rows[["sample_id", "session", "config", "split", "label", "is_defect"]].assign(
        predicted=said, score=np.log((1 - p[:, 1]) / p[:, 1]), p_defect=1 - p[:, 1]
    )
    columns = {f"logit_{name}": np.log(p[:, k]) for k, name in enumerate(CLASSES)}
    columns |= {f"p_{name}": p[:, k] for k, name in enumerate(CLASSES)}
    return checked(table.assign(**columns), PREDICTIONS)


class Kept(MemoryDataset):
    """What a run leaves, kept after it."""

    def release(self) -> None:
        """Keep the data."""


def with_extras(*names):
    """Return the video family, with something else to show."""
    return replace(VIDEO_CLASSIFIER, extras=lambda _: names)


def run(footage, *, decision=CALIBRATED, weights=WEIGHTS, **extras):
    rows = manifest()
    pipeline = create_pipeline(with_extras(*extras), "video_classifier")
    given = {
        "footage.manifest": rows,
        "video_classifier.predictions": predictions(rows),
        "footage.raw": footage,
        "footage.split_audit": {"banners": ["LEAKAGE ALLOWED: day 3."]},
        "params:mlflow_run_id": "run-17",
        "video_classifier.decision": decision,
        "video_classifier.weights": weights,
        "params:evaluation": EvaluationParams(**PARAMS),
        **{f"video_classifier.{name}": value for name, value in extras.items()},
    }
    outputs = pipeline.all_outputs()
    catalog = DataCatalog({name: Kept(value) for name, value in given.items()} | {name: Kept() for name in outputs})
    SequentialRunner().run(pipeline, catalog)
    return {name.removeprefix("video_classifier."): catalog[name].load() for name in outputs}


@pytest.fixture(scope="module")
def plain(footage):
    return run(footage, decision=UNCALIBRATED, weights=WEIGHTS | {"is_random": False})


@pytest.fixture(scope="module")
def rich(footage):
    scores = predictions(manifest())[["sample_id"]].assign(anomaly=lambda t: np.arange(len(t)) / len(t))
    return run(
        footage,
        anomaly_scores=scores,
        curves={"classifier": {"train_loss": [1.0, 0.5], "valid_loss": [1.1, 0.8]}},
    )


def test_only_the_chosen_split_is_judged(plain) -> None:
    assert plain["evaluation"]["n"] == 24
    assert plain["evaluation"]["classes"] == list(CLASSES)
    assert plain["evaluation"]["good_classes"] == ["Good"]


def test_confounds_are_learnt_on_train_and_within_test(plain) -> None:
    named = {(baseline["name"], baseline["fit_on"]) for baseline in plain["evaluation"]["baselines"]}
    assert named == {(n, f) for n in ("majority", "session", "config", "mean_luma") for f in ("test", "train")}


def test_metrics_are_in_the_form_mlflow_takes(plain) -> None:
    accuracy = plain["evaluation"]["rates"]["accuracy"]["value"]
    assert plain["metrics"]["accuracy"] == {"value": accuracy, "step": 0}


def test_list_holds_every_prediction_of_the_split(plain) -> None:
    assert len(plain["predictions_csv"]) == 24
    assert plain["predictions_csv"]["is_correct"].dtype == bool


def test_mistakes_are_shown_with_their_frames(plain) -> None:
    assert plain["mistakes"]["kind"].tolist() == ["escaped", "escaped"]
    height, width, _ = plain["mistake_frames"].shape
    assert (height, width) == (2 * 150, 2 * 240)
    assert plain["evaluation_report"].count("data:image/jpeg") == 2


def test_every_banner_stands_in_the_report(rich) -> None:
    assert [banner.split(":")[0] for banner in rich["banners"]] == ["LEAKAGE ALLOWED", "RANDOM WEIGHTS"]
    for banner in rich["banners"]:
        assert banner in rich["evaluation_report"]


def test_report_names_the_mlflow_run_and_what_else_it_was_given(rich) -> None:
    for words in ("run-17", "By the verdict", "anomaly", "How the loss fell", "r3d_18.random"):
        assert words in rich["evaluation_report"]


def test_verdict_is_judged_by_the_decision_that_is_shipped(plain, rich) -> None:
    by_class, by_probability = (made["evaluation"]["shipped"] for made in (plain, rich))
    assert by_class["rule"] == UNCALIBRATED.policy.describe()
    assert by_class["pass_fail"] == plain["evaluation"]["pass_fail"]
    assert by_probability["rule"] == CALIBRATED.policy.describe()
    judged = predictions(manifest()).query("split == 'test'")
    # Platt of a = -1, b = 0 is a half where the score is 0.
    assert by_probability["pass_fail"]["caught"] == int(((judged["score"] >= 0) & judged["is_defect"]).sum())
    assert [banner.split(":")[0] for banner in plain["banners"]] == ["LEAKAGE ALLOWED", "NOT CALIBRATED"]


def test_unsupervised_score_stands_beside_the_supervised_one(rich) -> None:
    assert set(rich["evaluation"]["auroc_per_defect"]) == {"score", "anomaly"}
    assert {"auroc_score", "auroc_anomaly"} <= set(rich["per_class"].columns)


@pytest.mark.parametrize(("family", "member"), [(family, member) for family in FAMILIES for member in family.members])
def test_every_member_has_its_own_names_and_reads_its_source(family, member) -> None:
    evaluation = create_pipeline(family, member)
    source = family.source_of(member)
    assert {f"{member}.{name}" for name in ("predictions", "decision", "weights")} <= evaluation.inputs()
    assert {f"{source}.{name}" for name in ("manifest", "raw", "split_audit")} <= evaluation.inputs()
    assert {"params:evaluation", "params:mlflow_run_id"} <= evaluation.inputs()
    assert {f"{member}.{name}" for name in family.extras(member)} <= evaluation.inputs()
    assert all(name.startswith(f"{member}.") for name in evaluation.all_outputs())
    assert all("evaluation" in node.tags for node in evaluation.nodes)


def test_extra_that_no_report_knows_is_refused() -> None:
    with pytest.raises(WeldError, match="extra 'trunk' is none of"):
        create_pipeline(with_extras("trunk"), "video_classifier")


def test_base_parameters_are_complete_and_unknown_ones_refused(project_root) -> None:
    base = yaml.safe_load((project_root / "conf/base/parameters_evaluation.yml").read_text())["evaluation"]
    assert EvaluationParams(**base).split == "test"
    with pytest.raises(ValidationError, match="n_resample"):
        EvaluationParams(**base, n_resample=3)
    with pytest.raises(ValidationError, match="level"):
        EvaluationParams(**{**base, "level": 95})
