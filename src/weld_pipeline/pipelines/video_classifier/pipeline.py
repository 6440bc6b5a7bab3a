"""Wiring of `video_classifier`."""

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines import nodes as shared
from weld_pipeline.pipelines.step import box, step
from weld_pipeline.pipelines.video_classifier import nodes


def create_pipeline(member: str) -> Pipeline:
    """Return the pipeline from the manifest of footage to calibrated predictions, in its namespace."""
    return Pipeline(
        [_feature_extraction(), _training(), shared.show_training(), _calibration()],
        namespace=member,
        inputs={name: f"footage.{name}" for name in ("manifest", "raw")},
        prefix_datasets_with_namespace=True,
    )


def _feature_extraction() -> Pipeline:
    return box(
        "feature_extraction",
        [
            step(nodes.list_classes, ["manifest", "params:classes"], "classes"),
            step(nodes.load_trunk, "params:trunk", ["trunk", "weights"]),
            step(nodes.choose_compute, ["manifest", "raw", "trunk", "params:windows", "params:compute"], "compute"),
            step(
                nodes.extract_clip_features,
                {"manifest": "manifest", "raw": "raw", "trunk": "trunk", "compute": "compute"}
                | {"windows": "params:windows", "params": "params:features"},
                "clip_features",
            ),
            step(nodes.stack_clip_features, ["clip_features", "params:features"], "clip_matrix"),
            step(nodes.count_clips, ["clip_matrix", "manifest"], "clip_counts"),
        ],
        tags={"feature_extraction"},
    )


def _training() -> Pipeline:
    learned_from = {"clip_matrix": "clip_matrix", "standardizer": "standardizer", "manifest": "manifest"}
    return box(
        "training",
        [
            *(shared.open_training(f"{name}_training") for name in ("autoencoder", "good_autoencoder", "classifier")),
            step(nodes.fit_standardizer, ["clip_matrix", "manifest", "trunk", "params:features"], "standardizer"),
            step(
                nodes.train_autoencoder,
                learned_from | {"training_folder": "autoencoder_training", "params": "params:autoencoder"},
                ["autoencoder", "autoencoder_curves"],
            ),
            step(
                nodes.train_good_autoencoder,
                learned_from
                | {"classes": "classes", "training_folder": "good_autoencoder_training"}
                | {"params": "params:autoencoder"},
                ["good_autoencoder", "good_autoencoder_curves"],
            ),
            step(nodes.pool_latents, ["clip_matrix", "standardizer", "autoencoder", "manifest"], "run_latents"),
            step(
                nodes.train_classifier,
                {"run_latents": "run_latents", "autoencoder": "autoencoder", "manifest": "manifest"}
                | {"classes": "classes", "training_folder": "classifier_training"}
                | {"windows": "params:windows", "params": "params:classifier"},
                ["classifier", "classifier_curves"],
            ),
            step(
                nodes.score_anomalies, ["clip_matrix", "standardizer", "good_autoencoder", "manifest"], "anomaly_scores"
            ),
            step(
                nodes.collect_curves, ["autoencoder_curves", "good_autoencoder_curves", "classifier_curves"], "curves"
            ),
        ],
        tags={"training"},
    )


def _calibration() -> Pipeline:
    return box(
        "calibration",
        [
            step(nodes.fit_decision, ["run_latents", "classifier", "manifest", "params:calibration"], "decision"),
            step(nodes.predict_runs, ["run_latents", "classifier", "decision", "manifest"], "predictions"),
        ],
        tags={"calibration"},
    )
