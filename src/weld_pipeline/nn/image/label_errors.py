"""Label errors: labels that out-of-sample predictions contradict."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from jaxtyping import Float

from weld_pipeline.core.errors import WeldError

COLUMNS = ("sample_id", "label", "suggested", "p_label", "p_suggested", "rank")


def suspected_label_errors(
    sample_ids: Sequence[str], labels: Sequence[str], probabilities: Float[np.ndarray, "N K"], classes: Sequence[str]
) -> pd.DataFrame:
    """Return the samples whose label is likely wrong, the least credible label first.

    Confident learning (Northcutt et al. 2021, section 3) as cleanlab does it, ranked by the probability of the label.

    Args:
        probabilities: Class probabilities of images that the network was not trained on.
        classes: Names in the order of the probabilities.

    Returns:
        Columns `sample_id label suggested p_label p_suggested rank`, rank from 1; no rows if nothing is suspected.

    Raises:
        WeldError: If a label is no class.
    """
    if unknown := sorted(set(labels) - set(classes)):
        raise WeldError(f"label {unknown[0]!r} is none of the classes {', '.join(classes)}; list it under classes")
    given = np.array([list(classes).index(label) for label in labels])
    present = np.unique(given)
    if len(present) < 2:  # noqa: PLR2004 - one class cannot be confused
        return pd.DataFrame(columns=list(COLUMNS))
    # Classes without a sample have no confidence threshold, so they cannot be suggested.
    kept = probabilities[:, present] / probabilities[:, present].sum(axis=1, keepdims=True)
    position = np.searchsorted(present, given)
    # One process: a pool would cost more than the work, and would import this program again.
    ranked = find_label_issues(position, kept, return_indices_ranked_by="self_confidence", n_jobs=1)
    suggested = probabilities.argmax(axis=1)
    rows = [
        (
            sample_ids[i],
            labels[i],
            classes[suggested[i]],
            probabilities[i, given[i]],
            probabilities[i, suggested[i]],
            rank,
        )
        for rank, i in enumerate(ranked, start=1)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
