"""Nodes of `sample_data`."""

from typing import Any

import pandas as pd

from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.pipelines.sample_data.params import (
    DrawPicturesParams,
    DrawWeldShopParams,
    PlanPicturesParams,
    PlanWeldSeamsParams,
    PlanWeldShopParams,
)


def plan_weld_shop(params: PlanWeldShopParams) -> pd.DataFrame:
    """Return the recipe of every run to be drawn, a row a run."""
    from weld_pipeline.synthetic.drawn.recipes import as_table
    from weld_pipeline.synthetic.drawn.shop.plan import plan_shop
    from weld_pipeline.synthetic.drawn.shop.welds import DrawnWeld

    return as_table(plan_shop(**params.model_dump()), DrawnWeld)


def draw_weld_shop(sample_plan: pd.DataFrame, params: DrawWeldShopParams) -> PendingItems[Any, bytes]:
    """Return the files of the shop as work to be done where they are saved."""
    from weld_pipeline.synthetic.drawn.recipes import from_table
    from weld_pipeline.synthetic.drawn.shop.drawing import pending_shop
    from weld_pipeline.synthetic.drawn.shop.plan import manifest
    from weld_pipeline.synthetic.drawn.shop.welds import DrawnWeld

    welds = from_table(sample_plan, DrawnWeld)
    return pending_shop(welds, manifest_csv=manifest(welds).to_csv(index=False), n_workers=params.n_workers)


def plan_pictures(params: PlanPicturesParams) -> pd.DataFrame:
    """Return the recipe of every picture of a data set to be drawn, a row a picture."""
    from weld_pipeline.synthetic.drawn.images.plan import plan_pictures as plan
    from weld_pipeline.synthetic.drawn.picture import DrawnPicture
    from weld_pipeline.synthetic.drawn.recipes import as_table

    return as_table(plan(**params.model_dump()), DrawnPicture)


def draw_pictures(sample_plan: pd.DataFrame, params: DrawPicturesParams) -> PendingItems[Any, bytes]:
    """Return the files of a data set of pictures as work to be done where they are saved."""
    from weld_pipeline.synthetic.drawn.images.plan import pending_pictures
    from weld_pipeline.synthetic.drawn.picture import DrawnPicture
    from weld_pipeline.synthetic.drawn.recipes import from_table

    return pending_pictures(from_table(sample_plan, DrawnPicture), n_workers=params.n_workers)


def plan_weld_seams(params: PlanWeldSeamsParams) -> pd.DataFrame:
    """Return the recipe of every photograph of a seam to be drawn, a row a photograph."""
    from weld_pipeline.synthetic.drawn.picture import DrawnPicture
    from weld_pipeline.synthetic.drawn.recipes import as_table
    from weld_pipeline.synthetic.drawn.seams.plan import plan_seams

    return as_table(plan_seams(**params.model_dump()), DrawnPicture)


def draw_weld_seams(sample_plan: pd.DataFrame, params: DrawPicturesParams) -> PendingItems[Any, bytes]:
    """Return photographs of seams and masks of their defects as work to be done where they are saved."""
    from weld_pipeline.synthetic.drawn.picture import DrawnPicture
    from weld_pipeline.synthetic.drawn.recipes import from_table
    from weld_pipeline.synthetic.drawn.seams.plan import pending_seams

    return pending_seams(from_table(sample_plan, DrawnPicture), n_workers=params.n_workers)
