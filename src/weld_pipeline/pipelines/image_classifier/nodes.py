"""Nodes of `image_classifier`, the same for every recipe."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from weld_pipeline import core, decision, media, nn, report
from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.core.samples import ClassList, choose_classes, usable_rows
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.source_tree import SourceTree
from weld_pipeline.core.stores import FolderStore
from weld_pipeline.core.synthetic_set import SyntheticSet
from weld_pipeline.decision.policy import Decision
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.pipelines.image_classifier.params import (
    AugmentationParams,
    HeadParams,
    ImageCalibrationParams,
    ImageClassParams,
    ImageParams,
    ImageTrunkParams,
    LookParams,
    MixingParams,
    SyntheticParams,
    TrainingParams,
)
from weld_pipeline.pipelines.params import EvaluationParams
from weld_pipeline.synthetic.mix import check_synthetic, mix_synthetic


def list_classes(manifest: pd.DataFrame, params: ImageClassParams) -> dict[str, Any]:
    """Return the classes in the order of all logits, and which of them is good."""
    rows = usable_rows(manifest, media="image")
    classes = choose_classes(rows, order=params.order, needed=("train", "valid"))
    return {"names": list(classes.names), "good": classes.good}


def load_trunk(params: ImageTrunkParams, image: ImageParams) -> tuple[SavedModel, dict[str, Any]]:
    """Return the trunk before training, and the record of its weights."""
    folder = Path(params.folder)
    trunk, record = nn.image.trunk.load_image_trunk(
        params.name, crop_px=image.crop_px, weights=params.weights, seed=params.seed, folder=folder
    )
    return nn.image.trunk.save_image_trunk(trunk, record), record.as_dict()


def resize_images(
    manifest: pd.DataFrame, raw: SourceTree, synthetic_set: SyntheticSet, params: ImageParams
) -> PendingItems[Path, dict[str, np.ndarray]]:
    """Return the resizing of every usable image, real or made, as work to be done where it is saved."""
    check_synthetic(synthetic_set.manifest)
    files = [
        nn.image.cache.ImageFile(row["sample_id"], root, row["path"], row["sha256"])
        for root, table in ((raw.root, usable_rows(manifest, media="image")), _made(synthetic_set))
        for row in table.to_dict("records")
    ]
    return nn.image.cache.pending_images(
        files,
        resized_px=params.resized_px,
        grey=params.grey,
        n_workers=params.n_workers,
        jpeg_px=params.jpeg_px,
        sample_bits=core.tables.sample_bits(manifest),
    )


def train_classifier(
    *,
    images: FolderStore,
    manifest: pd.DataFrame,
    synthetic_set: SyntheticSet,
    classes: dict[str, Any],
    trunk: SavedModel,
    training_folder: TrainingFolder,
    image: ImageParams,
    head: HeadParams,
    augmentation: AugmentationParams,
    mixing: MixingParams,
    synthetic: SyntheticParams,
    training: TrainingParams,
) -> tuple[SavedModel, dict[str, dict[str, list[float]]]]:
    """Return the classifier: learnt on train and made images, its best epoch chosen on valid; and its curves."""
    rows = usable_rows(manifest, media="image")
    made = _made(synthetic_set)[1]
    real = {split: list(rows.loc[rows["split"] == split, "sample_id"]) for split in ("train", "valid")}
    learnt = mix_synthetic(real["train"], list(made["sample_id"]), ratio=synthetic.ratio, seed=synthetic.seed)
    label_of = dict(zip([*rows["sample_id"], *made["sample_id"]], [*rows["label"], *made["label"]], strict=True))

    def labelled(sample_ids: list[str]) -> Any:
        labels = np.array([classes["names"].index(label_of[name]) for name in sample_ids], dtype=np.int64)
        return nn.image.labelled_images.LabelledImages(images, sample_ids, labels)

    batch_norm = training.batch_norm
    if batch_norm == "auto":
        batch_norm = "train" if trunk.provenance["weights"]["is_random"] else "freeze"
    model, curves = nn.image.fit.train_image_classifier(
        labelled(learnt),
        labelled(real["valid"]),
        trunk=trunk,
        network=nn.image.fit.NetworkOptions(
            n_classes=len(classes["names"]),
            head=head.kind,
            **head.model_dump(exclude={"kind"}),
            **image.model_dump(exclude={"views", "n_workers", "jpeg_scaling"}),
        ),
        augmentation=nn.image.augment.Augmentation(**augmentation.model_dump()),
        mixing=nn.image.augment.Mixing(**mixing.model_dump()),
        steps=nn.image.optimization.ImageSteps(
            **training.model_dump(exclude={"precision", "batch_norm"}), batch_norm=batch_norm
        ),
        precision=training.precision,
        folder=training_folder,
    )
    provenance = {"classes": classes["names"], "good_class": classes["good"], "views": image.views}
    provenance["jpeg_px"] = image.jpeg_px
    provenance["n_synthetic"] = len(learnt) - len(real["train"])
    return core.saved_model.with_provenance(model, **provenance), {"classifier": curves}


def predict_logits(
    images: FolderStore, manifest: pd.DataFrame, classifier: SavedModel, params: ImageParams
) -> pd.DataFrame:
    """Return the uncalibrated logits of every usable image of every split."""
    ids = list(usable_rows(manifest, media="image")["sample_id"])
    views = media.views.crop_views(params.views, resized_px=params.resized_px, crop_px=params.crop_px)
    logits = nn.image.predict.predict_logits(
        nn.image.classifier.restore_image_classifier(classifier), images, ids, views=views
    )
    table = pd.DataFrame(logits, columns=[f"logit_{name}" for name in classifier.provenance["classes"]])
    table.insert(0, "sample_id", ids)
    return table


def fit_decision(
    image_logits: pd.DataFrame, manifest: pd.DataFrame, classes: dict[str, Any], params: ImageCalibrationParams
) -> Decision:
    """Return temperature, Platt's sigmoid and threshold, fitted on the calib split; by the class alone if that is empty."""
    rows = image_logits.merge(manifest[manifest["split"] == "calib"], on="sample_id", validate="one_to_one")
    return decision.classifier_predictions.fit_decision(
        _logits(rows, classes), list(rows["label"]), _class_list(classes), threshold=params.threshold
    )


def tabulate_predictions(
    image_logits: pd.DataFrame, manifest: pd.DataFrame, classes: dict[str, Any], fitted: Decision
) -> pd.DataFrame:
    """Return the predictions for every usable image of every split."""
    rows = image_logits.merge(manifest, on="sample_id", validate="one_to_one")
    return decision.classifier_predictions.predictions_table(rows, _logits(rows, classes), _class_list(classes), fitted)


def find_label_errors(predictions: pd.DataFrame, classes: dict[str, Any]) -> pd.DataFrame:
    """Return the images whose labels the network contradicts, surest first, among those it did not learn from."""
    unseen = predictions[predictions["split"] != "train"]
    probabilities = unseen[[f"p_{name}" for name in classes["names"]]].to_numpy(np.float64)
    return nn.image.label_errors.suspected_label_errors(
        list(unseen["sample_id"]), list(unseen["label"]), probabilities, classes["names"]
    )


def show_label_errors(
    label_errors: pd.DataFrame, manifest: pd.DataFrame, raw: SourceTree, params: LookParams
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a sheet of the images whose labels are doubted most."""
    shown = label_errors.head(params.n_label_errors)
    return report.sheets.images.label_error_sheet(
        shown,
        report.sheets.images.image_paths(manifest, list(shown["sample_id"]), root=raw.root),
        sample_bits=core.tables.sample_bits(manifest),
    )


def draw_sample_sheet(
    *,
    predictions: pd.DataFrame,
    manifest: pd.DataFrame,
    raw: SourceTree,
    classifier: SavedModel,
    evaluation: EvaluationParams,
    params: LookParams,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return random images of the judged split: prediction, confidence, truth, and what the network looked at."""
    judged = predictions[predictions["split"] == evaluation.split]
    chosen = judged.sample(min(params.n_random, len(judged)), random_state=params.seed)
    paths = report.sheets.images.image_paths(manifest, list(chosen["sample_id"]), root=raw.root)
    return report.sheets.images.sample_sheet(
        chosen,
        paths,
        nn.image.classifier.restore_image_classifier(classifier) if params.heat_maps else None,
        sample_bits=core.tables.sample_bits(manifest),
    )


def _made(synthetic_set: SyntheticSet) -> tuple[Path, pd.DataFrame]:
    manifest = synthetic_set.manifest
    return synthetic_set.root, manifest[manifest["status"] == "ok"]


def _logits(table: pd.DataFrame, classes: dict[str, Any]) -> np.ndarray:
    return table[[f"logit_{name}" for name in classes["names"]]].to_numpy(np.float32)


def _class_list(classes: dict[str, Any]) -> ClassList:
    return ClassList(tuple(classes["names"]), classes["good"])
