from dataclasses import replace

import numpy as np
import pytest

from tests.synthetic.drawn.drawn_images import accuracy_across_sessions, grey
from weld_pipeline.synthetic.drawn.image import DrawnImage
from weld_pipeline.synthetic.drawn.images.plan import plan_images
from weld_pipeline.synthetic.drawn.tig.pool import AL5083, SS304, tig_pool

FRAME = DrawnImage("train/160705-113736-x/image-0229.png", "tig_ss304", "good_weld", "160705-113736-x", False, 128, 0)


def frames(layout, n_sessions=6):
    return plan_images(layout, n_sessions_per_class=n_sessions, n_per_session=2, written_share=0.0, width=128, seed=0)


@pytest.mark.parametrize("layout", ["tig_ss304", "tig_al5083"])
def test_classes_can_be_told_apart_on_runs_never_seen(layout):
    # One in six by chance.
    assert accuracy_across_sessions(frames(layout)) > 0.5


def test_frames_of_a_run_share_their_look_so_that_a_split_by_frame_would_leak():
    images = frames("tig_ss304", n_sessions=4)
    thumbnails = np.stack([grey(image)[::4, ::4].ravel().astype(float) for image in images])
    distance = ((thumbnails[:, None] - thumbnails[None]) ** 2).sum(-1)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.argmin(axis=1)
    is_same_run = np.array([images[i].session == images[j].session for i, j in enumerate(nearest)])
    assert is_same_run.mean() > 0.8  # one in forty-seven by chance


def test_frames_of_a_run_differ():
    other = replace(FRAME, path=FRAME.path.replace("0229", "0230"))
    assert np.abs(grey(FRAME).astype(int) - grey(other)).mean() > 1


def test_arc_is_the_brightest_place_and_the_corners_are_dark():
    frame = grey(replace(FRAME, width=320))
    row, column = np.unravel_index(frame.argmax(), frame.shape)
    assert frame.max() > 200
    assert row < frame.shape[0] / 2
    assert 0.25 < column / frame.shape[1] < 0.65
    assert frame[-20:, -20:].mean() < 70


def test_aluminium_throws_more_light_back():
    steel, aluminium = (
        np.mean([grey(image).mean() for image in frames(layout, 3) if image.label == "good_weld"])
        for layout in ("tig_ss304", "tig_al5083")
    )
    assert aluminium > 1.2 * steel


def test_stamp_lies_in_the_corner_and_nowhere_else():
    plain, stamped = grey(replace(FRAME, width=480)), grey(replace(FRAME, width=480, is_written=True))
    changed = plain != stamped
    assert changed[:20, :220].any()
    assert not changed[20:].any()


@pytest.mark.parametrize("label", sorted({*SS304, *AL5083}))
def test_pool_of_each_class_differs_from_a_good_one_as_its_physics_says(label):
    good, pool = (tig_pool(name, np.random.default_rng(0), np.random.default_rng(1)) for name in ("good_weld", label))
    expected = {
        "good_weld": pool == good,
        "burn_through": pool.hole > 0 and pool.half_width > good.half_width,
        "contamination": pool.slag > 0 and pool.mirror < good.mirror,
        "lack_of_fusion": pool.layers > 0 and pool.joint > 0,
        "lack_of_shielding_gas": pool.wrinkles > 0 and pool.rays > 0 and pool.pits > 0,
        "high_travel_speed": pool.humps > 0 and pool.arc < good.arc and pool.half_width < 0.5 * good.half_width,
        "misalignment": pool.shift > 0 and pool.joint > 0,
        "lack_of_penetration": pool.half_width < 0.7 * good.half_width and pool.joint > 0,
    }
    assert expected[label]
