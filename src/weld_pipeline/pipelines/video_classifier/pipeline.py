"""Wiring of `video_classifier`."""

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines import nodes as shared
from weld_pipeline.pipelines.video_classifier import nodes


def create_pipeline(member: str) -> Pipeline:
    """Return the pipeline from the manifest of footage to calibrated predictions, in its namespace."""
    return Pipeline(
        [_feature_extraction(), _training(), _calibration()],
        namespace=member,
        inputs={name: f"footage.{name}" for name in ("manifest", "raw")},
        prefix_datasets_with_namespace=True,
    )


def _feature_extraction() -> Pipeline:
    return Pipeline(
        [
            Node(nodes.list_classes, ["manifest", "params:classes"], "classes", name="list_classes"),
            Node(nodes.load_trunk, "params:trunk", ["trunk", "weights"], name="load_trunk"),
            Node(
                nodes.choose_compute,
                ["manifest", "raw", "trunk", "params:windows", "params:compute"],
                "compute",
                name="choose_compute",
            ),
            Node(
                nodes.extract_clip_features,
                {"manifest": "manifest", "raw": "raw", "trunk": "trunk", "compute": "compute"}
                | {"windows": "params:windows", "params": "params:features"},
                "clip_features",
                name="extract_clip_features",
            ),
            Node(
                nodes.stack_clip_features,
                ["clip_features", "params:features"],
                "clip_matrix",
                name="stack_clip_features",
            ),
            Node(nodes.count_clips, ["clip_matrix", "manifest"], "clip_counts", name="count_clips"),
        ],
        tags={"feature_extraction"},
    )


def _training() -> Pipeline:
    learned_from = {"clip_matrix": "clip_matrix", "standardizer": "standardizer", "manifest": "manifest"}
    return Pipeline(
        [
            Node(
                nodes.fit_standardizer,
                ["clip_matrix", "manifest", "trunk", "params:features"],
                "standardizer",
                name="fit_standardizer",
            ),
            Node(
                nodes.train_autoencoder,
                learned_from | {"training_folder": "autoencoder_training", "params": "params:autoencoder"},
                ["autoencoder", "autoencoder_curves"],
                name="train_autoencoder",
            ),
            Node(
                nodes.train_good_autoencoder,
                learned_from
                | {"classes": "classes", "training_folder": "good_autoencoder_training"}
                | {"params": "params:autoencoder"},
                ["good_autoencoder", "good_autoencoder_curves"],
                name="train_good_autoencoder",
            ),
            Node(
                nodes.pool_latents,
                ["clip_matrix", "standardizer", "autoencoder", "manifest"],
                "run_latents",
                name="pool_latents",
            ),
            Node(
                nodes.train_classifier,
                {"run_latents": "run_latents", "autoencoder": "autoencoder", "manifest": "manifest"}
                | {"classes": "classes", "training_folder": "classifier_training"}
                | {"windows": "params:windows", "params": "params:classifier"},
                ["classifier", "classifier_curves"],
                name="train_classifier",
            ),
            Node(
                nodes.score_anomalies,
                ["clip_matrix", "standardizer", "good_autoencoder", "manifest"],
                "anomaly_scores",
                name="score_anomalies",
            ),
            Node(
                nodes.collect_curves,
                ["autoencoder_curves", "good_autoencoder_curves", "classifier_curves"],
                "curves",
                name="collect_curves",
            ),
            Node(shared.log_training, "curves", "training_metrics", name="log_training"),
            Node(shared.plot_curves, "curves", "curve_plot", name="plot_curves"),
        ],
        tags={"training"},
    )


def _calibration() -> Pipeline:
    return Pipeline(
        [
            Node(
                nodes.fit_decision,
                ["run_latents", "classifier", "manifest", "params:calibration"],
                "decision",
                name="fit_decision",
            ),
            Node(
                nodes.predict_runs,
                ["run_latents", "classifier", "decision", "manifest"],
                "predictions",
                name="predict_runs",
            ),
        ],
        tags={"calibration"},
    )
