import io
import re
from collections import Counter

import pandas as pd

from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.recipes import as_table, from_table
from weld_pipeline.synthetic.drawn.seams.flaws import FLAWS
from weld_pipeline.synthetic.drawn.seams.plan import pending_seams, plan_seams

TINY = {"n_train_good": 3, "n_test_good": 2, "n_per_defect": 2, "width": 96, "seed": 0}


def items(**changes):
    return list(pending_seams(plan_seams(**(TINY | changes)), n_workers=1).items)


def test_defects_are_the_five_of_the_layout():
    assert set(FLAWS) == {"porosity", "crack", "void", "scratch", "undercut"}


def test_folders_hold_as_many_images_as_asked():
    folders = Counter(item.id.rpartition("/")[0] for item in items())
    wanted = {"train/good": 3, "test/good": 2}
    wanted |= {f"{folder}/{defect}": 2 for folder in ("test", "ground_truth") for defect in FLAWS}
    assert folders == wanted


def test_files_are_named_as_in_mvtec_ad():
    for item in items():
        assert re.fullmatch(r"(train|test)/[a-z]+/\d{3}\.png|ground_truth/[a-z]+/\d{3}_mask\.png", item.id)


def test_each_image_with_a_defect_has_a_mask_and_no_other_has():
    names = {item.id for item in items()}
    masks = {name for name in names if name.startswith("ground_truth/")}
    flawed = {name for name in names if name.startswith("test/") and "/good/" not in name}
    assert masks == {name.replace("test/", "ground_truth/").replace(".png", "_mask.png") for name in flawed}


def test_key_of_every_file_depends_on_the_recipe():
    one, other = ({item.id: item.key for item in items(seed=seed)} for seed in (0, 1))
    assert len(set(one.values())) == len(one)
    assert all(one[name] != other[name] for name in one)


def test_plan_survives_a_csv():
    images = plan_seams(**TINY)
    text = as_table(images, DrawnImage).to_csv(index=False)
    assert from_table(pd.read_csv(io.StringIO(text)), DrawnImage) == images
