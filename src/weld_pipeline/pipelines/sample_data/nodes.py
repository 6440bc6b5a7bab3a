"""Nodes of `sample_data`."""

from typing import Any

import pandas as pd

from weld_pipeline import synthetic
from weld_pipeline.core.items.pending import PendingItems
from weld_pipeline.pipelines.sample_data.params import (
    DrawImagesParams,
    DrawWeldShopParams,
    PlanImagesParams,
    PlanWeldSeamsParams,
    PlanWeldShopParams,
)


def plan_weld_shop(params: PlanWeldShopParams) -> pd.DataFrame:
    """Return the recipe of every run to be drawn, a row a run."""
    return synthetic.drawn.recipes.as_table(
        synthetic.drawn.shop.plan.plan_shop(**params.model_dump()), synthetic.drawn.shop.welds.DrawnWeld
    )


def draw_weld_shop(sample_plan: pd.DataFrame, params: DrawWeldShopParams) -> PendingItems[Any, bytes]:
    """Return the files of the shop as work to be done where they are saved."""
    welds = synthetic.drawn.recipes.from_table(sample_plan, synthetic.drawn.shop.welds.DrawnWeld)
    return synthetic.drawn.shop.drawing.pending_shop(
        welds, manifest_csv=synthetic.drawn.shop.plan.manifest(welds).to_csv(index=False), n_workers=params.n_workers
    )


def plan_images(params: PlanImagesParams) -> pd.DataFrame:
    """Return the recipe of every image of a data set to be drawn, a row an image."""
    return synthetic.drawn.recipes.as_table(
        synthetic.drawn.images.plan.plan_images(**params.model_dump()), synthetic.drawn.image.DrawnImage
    )


def draw_images(sample_plan: pd.DataFrame, params: DrawImagesParams) -> PendingItems[Any, bytes]:
    """Return the files of a data set of images as work to be done where they are saved."""
    return synthetic.drawn.images.plan.pending_images(
        synthetic.drawn.recipes.from_table(sample_plan, synthetic.drawn.image.DrawnImage), n_workers=params.n_workers
    )


def plan_weld_seams(params: PlanWeldSeamsParams) -> pd.DataFrame:
    """Return the recipe of every photograph of a seam to be drawn, a row a photograph."""
    return synthetic.drawn.recipes.as_table(
        synthetic.drawn.seams.plan.plan_seams(**params.model_dump()), synthetic.drawn.image.DrawnImage
    )


def draw_weld_seams(sample_plan: pd.DataFrame, params: DrawImagesParams) -> PendingItems[Any, bytes]:
    """Return photographs of seams and masks of their defects as work to be done where they are saved."""
    return synthetic.drawn.seams.plan.pending_seams(
        synthetic.drawn.recipes.from_table(sample_plan, synthetic.drawn.image.DrawnImage), n_workers=params.n_workers
    )
