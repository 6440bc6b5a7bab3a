import io
from collections import Counter
from itertools import pairwise

import pandas as pd
import pytest

from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.images.layouts import LAYOUTS
from weld_pipeline.synthetic.drawn.images.plan import pending_images, plan_images
from weld_pipeline.synthetic.drawn.recipes import as_table, from_table


def plan(layout, **changes):
    tiny = {"n_sessions_per_class": 4, "n_per_session": 2, "written_share": 0.0, "width": 96, "seed": 0}
    return plan_images(layout, **(tiny | changes))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_class_has_as_many_sessions_and_images_as_asked(layout):
    images = plan(layout)
    assert Counter(image.label for image in images) == dict.fromkeys(LAYOUTS[layout].classes, 8)
    classes_of = {}
    for image in images:
        classes_of.setdefault(image.session, set()).add(image.label)
    assert len(classes_of) == 4 * len(LAYOUTS[layout].classes)
    assert all(len(classes) == 1 for classes in classes_of.values())
    assert len({image.path for image in images}) == len(images)


@pytest.mark.parametrize("layout", ["tig_ss304", "tig_al5083", "weld_boxes"])
@pytest.mark.parametrize(("n_sessions", "expected"), [(3, (1, 1, 1)), (4, (2, 1, 1)), (5, (3, 1, 1)), (10, (6, 2, 2))])
def test_each_split_has_sessions_of_its_own_of_every_class(layout, n_sessions, expected):
    sessions = {(p.path.split("/")[0], p.label, p.session) for p in plan(layout, n_sessions_per_class=n_sessions)}
    assert len({session for _, _, session in sessions}) == len(sessions)  # none stands in two splits
    counts = Counter((split, label) for split, label, _ in sessions)
    for label in LAYOUTS[layout].classes:
        assert tuple(counts[split, label] for split in ("train", "valid", "test")) == expected


@pytest.mark.parametrize("layout", ["tig_ss304", "tig_al5083", "weld_photos", "weld_boxes"])
def test_writing_is_in_the_same_share_of_every_class(layout):
    written = {(p.label, p.session) for p in plan(layout, n_sessions_per_class=5, written_share=0.4) if p.is_written}
    assert Counter(label for label, _ in written) == dict.fromkeys(LAYOUTS[layout].classes, 2)


def test_numbers_of_plates_do_not_run_by_class():
    plates = sorted({(image.session, image.label) for image in plan("weld_photos", n_sessions_per_class=12)})
    labels = [label for _, label in plates]
    n_changes = sum(a != b for a, b in pairwise(labels))
    assert n_changes > 4  # one change if good plates came first, about twelve if shuffled


def test_another_seed_gives_other_sessions_and_the_same_seed_the_same():
    assert plan("tig_ss304") == plan("tig_ss304")
    assert plan("tig_ss304") != plan("tig_ss304", seed=1)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_plan_survives_a_csv(layout):
    images = plan(layout, written_share=0.5)
    text = as_table(images, DrawnImage).to_csv(index=False)
    assert from_table(pd.read_csv(io.StringIO(text)), DrawnImage) == images


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_file_is_pending_once_and_its_key_depends_on_the_recipe(layout):
    one, other = (pending_images(plan(layout, seed=seed), n_workers=1).items for seed in (0, 1))
    keys = {item.id: item.key for item in one}
    assert len(keys) == len(one) >= len(plan(layout))
    assert len(set(keys.values())) == len(keys)
    images = {image.path for image in plan(layout)}
    assert all(keys.get(item.id) != item.key for item in other if item.id in images)
