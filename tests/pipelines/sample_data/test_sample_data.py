from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from weld_pipeline.datasets.source_tree import SourceTreeDataset
from weld_pipeline.pipelines.sample_data.nodes import draw_weld_shop, plan_weld_shop
from weld_pipeline.pipelines.sample_data.params import DrawWeldShopParams, PlanWeldShopParams

TINY = {
    "n_good": 1,
    "n_per_defect": 0,
    "n_sessions": 1,
    "confounded": False,
    "lead_s": (0.1, 0.2),
    "arc_s": (0.3, 0.4),
    "handwritten_share": 0.5,
    "width": 320,
    "still_width": 400,
    "seed": 0,
}


def base_parameters(project_root):
    text = (project_root / "conf" / "base" / "parameters_sample_data.yml").read_text()
    return yaml.safe_load(text)["sample_data"]


def draw(root: Path, n_workers: int) -> dict[str, bytes]:
    plan = plan_weld_shop(PlanWeldShopParams(**(TINY | {"n_good": 2})))
    SourceTreeDataset(filepath=str(root)).save(draw_weld_shop(plan, DrawWeldShopParams(n_workers=n_workers)))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_shop_is_the_same_whatever_the_number_of_workers(tmp_path):
    one = draw(tmp_path / "one", 1)
    two = draw(tmp_path / "two", 2)
    assert one == two
    assert len(one) == 2 * 8 + 2  # files of two runs, manifest.csv, DRAWN.json


def test_base_parameters_are_typed_and_meet_the_promised_size(project_root):
    params = base_parameters(project_root)
    DrawWeldShopParams(**params["draw_weld_shop"])
    plan = plan_weld_shop(PlanWeldShopParams(**params["plan_weld_shop"]))
    assert plan.label.value_counts().min() >= 8
    assert plan.label.nunique() == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_per_defects": 3}, "Extra inputs are not permitted"),
        ({"arc_s": (3.0, 2.0)}, "arc_s: the shortest time 3.0 s is longer than the longest 2.0 s"),
        ({"width": 333}, "multiple of 32"),
        ({"handwritten_share": 1.5}, "less than or equal to 1"),
    ],
)
def test_wrong_parameter_is_refused_by_name(change, message):
    with pytest.raises(ValidationError, match=message):
        PlanWeldShopParams(**(TINY | change))
