"""Sample selection: which few samples stand for many."""

from pathlib import Path

import pandas as pd

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside


def choose_samples(manifest: pd.DataFrame, *, splits: tuple[str, ...], n_samples: int) -> pd.DataFrame:
    """Return up to `n_samples` usable rows: a good weld first, then one of each defect in turn, then second ones.

    The choice depends on nothing but the rows: the same manifest gives the same samples.
    """
    usable = _usable(manifest, splits).sort_values("sample_id")
    turn = usable.groupby("label").cumcount().rename("turn")
    order = usable.assign(turn=turn).sort_values(["turn", "is_defect", "label", "sample_id"])
    return order.head(n_samples).drop(columns="turn")


def draw_samples(manifest: pd.DataFrame, *, split: str, n_samples: int, seed: int) -> pd.DataFrame:
    """Return up to `n_samples` usable rows of a split, drawn at random; the same rows and seed give the same ones."""
    usable = _usable(manifest, (split,)).sort_values("sample_id")
    return usable.sample(n=min(n_samples, len(usable)), random_state=seed)


def first_filled(manifest: pd.DataFrame, *, splits: tuple[str, ...]) -> str:
    """Return the first of some splits that holds usable samples with a label.

    Raises:
        WeldError: If all are empty.
    """
    for split in splits:
        if len(_usable(manifest, (split,))):
            return split
    raise WeldError(f"manifest: no usable sample with a label in {', '.join(splits)}; name a split that has some")


def chosen_files(manifest: pd.DataFrame, root: Path, *, splits: tuple[str, ...], n_samples: int) -> dict[str, Path]:
    """Return the files of up to `n_samples` samples of the first split that holds some, by sample id.

    Raises:
        WeldError: If all splits are empty, or a path leaves the folder.
    """
    rows = choose_samples(manifest, splits=(first_filled(manifest, splits=splits),), n_samples=n_samples)
    return {row["sample_id"]: inside(root, row["path"]) for row in rows.to_dict("records")}


def _usable(manifest: pd.DataFrame, splits: tuple[str, ...]) -> pd.DataFrame:
    return manifest[(manifest["status"] == "ok") & manifest["split"].isin(splits) & manifest["label"].notna()]
