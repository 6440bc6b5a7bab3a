"""Which few videos stand for many."""

import pandas as pd


def choose_videos(manifest: pd.DataFrame, *, splits: tuple[str, ...], n_videos: int) -> pd.DataFrame:
    """Return up to `n_videos` usable rows: a good weld first, then one of each defect in turn, then second ones.

    The choice depends on nothing but the rows: the same manifest gives the same videos.

    Args:
        manifest: `core.tables.MANIFEST`.
        splits: Where to choose from.
        n_videos: How many.
    """
    usable = manifest[(manifest["status"] == "ok") & manifest["split"].isin(splits) & manifest["label"].notna()]
    usable = usable.sort_values("sample_id")
    turn = usable.groupby("label").cumcount().rename("turn")
    order = usable.assign(turn=turn).sort_values(["turn", "is_defect", "label", "sample_id"])
    return order.head(n_videos).drop(columns="turn")
