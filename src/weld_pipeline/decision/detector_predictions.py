"""Detector predictions: scores of an anomaly detector as rows, good or anomalous."""

import numpy as np
import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.labels import ANOMALOUS, GOOD
from weld_pipeline.core.tables import PREDICTIONS, checked
from weld_pipeline.decision.policy import Decision


def anomaly_predictions(image_scores: pd.DataFrame, manifest: pd.DataFrame, decision: Decision) -> pd.DataFrame:
    """Return the predictions of scored images, in the schema every family shares.

    A detector knows no kinds of defect, so the truth of a defective image is `anomalous`, too; which kind it is stands
    in the manifest.

    Args:
        image_scores: `sample_id` and `score`.
        decision: By the score.

    Raises:
        WeldError: If there are several good classes, or one is called anomalous.
    """
    rows = image_scores[["sample_id", "score"]].merge(manifest, on="sample_id", validate="one_to_one")
    good = good_class(manifest)
    score = rows["score"].to_numpy(float)
    fails, p_defect = decision.fails(score=score, predicted=None), decision.p_defect(score)
    table = rows[["sample_id", "session", "config", "split"]].copy()
    table["label"] = np.where(rows["is_defect"].astype(bool), ANOMALOUS, good)
    table["is_defect"] = rows["is_defect"].astype(bool)
    table["predicted"] = np.where(fails, ANOMALOUS, good)
    table["score"] = score
    if p_defect is not None:
        table["p_defect"] = p_defect
    return checked(table, PREDICTIONS)


def good_class(manifest: pd.DataFrame) -> str:
    """Return the label of good images; `good` where none is, as of radiographs that all show a defect somewhere.

    Raises:
        WeldError: If there are several, or it is called anomalous.
    """
    usable = manifest[manifest["status"] == "ok"]
    names = sorted(set(usable.loc[~usable["is_defect"].astype(bool), "label"]))
    if not names:
        return GOOD
    if len(names) > 1 or names == [ANOMALOUS]:
        raise WeldError(
            f"good classes are {names}; exactly one is needed and not {ANOMALOUS!r}, name it in index.good_class of the ingestion"
        )
    return names[0]
