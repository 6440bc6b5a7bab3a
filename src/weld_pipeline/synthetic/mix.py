"""How many synthetic images join the real ones in training. No torch here."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from weld_pipeline.core.errors import WeldError

logger = logging.getLogger(__name__)


def mix_synthetic(real_ids: Sequence[str], synthetic_ids: Sequence[str], *, ratio: float, seed: int) -> list[str]:
    """Return what is trained on: every real image, and synthetic ones at a ratio.

    Args:
        real_ids: Of the train split.
        synthetic_ids: All there are; as many of them as the ratio asks for are drawn, or all if they are fewer.
        ratio: Synthetic images to one real.
        seed: Of the draw.

    >>> mix_synthetic(["r0", "r1"], ["s0"], ratio=0.5, seed=0)
    ['r0', 'r1', 's0']
    """
    wanted = round(ratio * len(real_ids))
    if synthetic_ids and wanted > len(synthetic_ids):
        logger.warning("%d synthetic images are asked for, %d are there; all are taken", wanted, len(synthetic_ids))
    order = np.random.default_rng(seed).permutation(len(synthetic_ids))[:wanted]
    return [*real_ids, *(synthetic_ids[index] for index in sorted(order))]


def check_synthetic(rows: pd.DataFrame) -> None:
    """Refuse synthetic images that claim a place where a model is chosen, calibrated or tested.

    Args:
        rows: Of a manifest of synthetic images.

    Raises:
        WeldError: Naming the first that does.
    """
    astray = rows[rows["split"] != "train"]
    if not astray.empty:
        first = astray.iloc[0]
        raise WeldError(
            f"{len(astray)} synthetic image(s) claim another split than train, the first {first['sample_id']} {first['split']!r}; "
            "made images may only be learnt from, set their split to train"
        )
