"""Mix of real and synthetic images in training."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from weld_pipeline.core.errors import WeldError

logger = logging.getLogger(__name__)


def mix_synthetic(real_ids: Sequence[str], synthetic_ids: Sequence[str], *, ratio: float, seed: int) -> list[str]:
    """Return the ids of train: every real image, and synthetic ones at a ratio.

    Args:
        synthetic_ids: Ids of all synthetic images; as many as the ratio wants are drawn, or all if they are fewer.
        ratio: Number of synthetic images to one real image.

    >>> mix_synthetic(["r0", "r1"], ["s0"], ratio=0.5, seed=0)
    ['r0', 'r1', 's0']
    """
    wanted = round(ratio * len(real_ids))
    if synthetic_ids and wanted > len(synthetic_ids):
        logger.warning("%d synthetic images are asked for, %d are there; all are taken", wanted, len(synthetic_ids))
    order = np.random.default_rng(seed).permutation(len(synthetic_ids))[:wanted]
    return [*real_ids, *(synthetic_ids[index] for index in sorted(order))]


def check_synthetic(rows: pd.DataFrame) -> None:
    """Refuse synthetic images that claim a place where a model is chosen, calibrated or tested."""
    misplaced = rows[rows["split"] != "train"]
    if not misplaced.empty:
        first = misplaced.iloc[0]
        raise WeldError(
            f"{len(misplaced)} synthetic image(s) claim another split than train, the first {first['sample_id']} {first['split']!r}; "
            "synthetic images may only train, set their split to train"
        )
