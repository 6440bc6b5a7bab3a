"""Nodes of `sample_data`."""

from typing import Any

import pandas as pd

from weld_pipeline.core.items import PendingItems
from weld_pipeline.pipelines.sample_data.params import DrawWeldShopParams, PlanWeldShopParams


def plan_weld_shop(params: PlanWeldShopParams) -> pd.DataFrame:
    """Return the recipe of every run to be drawn, a row a run."""
    from weld_pipeline.synthetic.shop import as_table, plan_shop

    return as_table(plan_shop(**params.model_dump()))


def draw_weld_shop(sample_plan: pd.DataFrame, params: DrawWeldShopParams) -> PendingItems[Any, bytes]:
    """Return the files of the shop as work to be done where they are saved."""
    from weld_pipeline.synthetic.drawing import pending_shop
    from weld_pipeline.synthetic.shop import from_table, manifest

    welds = from_table(sample_plan)
    return pending_shop(welds, manifest_csv=manifest(welds).to_csv(index=False), n_workers=params.n_workers)
