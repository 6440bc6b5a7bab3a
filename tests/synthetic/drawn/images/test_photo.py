from dataclasses import replace

import numpy as np
import pytest
from PIL import ImageChops

from tests.synthetic.drawn.drawn_images import accuracy_across_sessions, opened
from weld_pipeline.synthetic.drawn.images.photo import _taken, boxes, laid_plates
from weld_pipeline.synthetic.drawn.images.plan import plan_images
from weld_pipeline.synthetic.drawn.surfaces.bead import PLATE


def photos(layout, n_sessions=6, width=160, written_share=0.0):
    return plan_images(
        layout, n_sessions_per_class=n_sessions, n_per_session=2, written_share=written_share, width=width, seed=0
    )


def test_good_and_bad_beads_can_be_told_apart_on_plates_never_seen():
    assert accuracy_across_sessions(photos("weld_photos", n_sessions=20)) > 0.7


@pytest.mark.parametrize("width", [96, 320])
def test_writing_is_laid_over_a_plate_that_stays_the_same(width):
    changed = []
    for image in photos("weld_photos", width=width)[::2]:
        plain, written = opened(image), opened(replace(image, is_written=True))
        changed.append(np.asarray(ImageChops.difference(plain, written).convert("L")) > 60)
    shares = np.array([mask.mean() for mask in changed])
    assert (shares > 0.002).mean() > 0.7  # on some the writing lies outside the image
    assert shares.max() < 0.2


def test_photographs_of_a_plate_show_the_same_bead_from_elsewhere():
    first, second = (image for image in photos("weld_photos") if image.session == "plate03")
    assert first.path != second.path
    assert ImageChops.difference(opened(first), opened(second)).getbbox() is not None


def test_good_video_shows_good_beads_only_and_a_bad_one_at_least_one_bad():
    for image in photos("weld_boxes"):
        names = {name for name, *_ in boxes(image)}
        plates = laid_plates(image)
        if image.label == "Good Weld":
            assert names == {"Good Weld"}
        else:
            assert not plates[0].is_good
            assert "Bad Weld" in names


def test_a_box_lies_where_the_bead_is_seen():
    for image in photos("weld_boxes", width=320):
        plates = laid_plates(image)
        scale = 0.5 * image.width / PLATE[0]
        bare = replace(plates[0].bead, half=np.zeros_like(plates[0].bead.half), soot=0.0)
        pair = ([plates[0]], [replace(plates[0], bead=bare)])
        welded, unwelded = (_taken(image, one, scale, "").astype(int) for one in pair)
        change = np.abs(welded - unwelded).sum(axis=2)
        rows, columns = np.indices(change.shape)
        seen = np.array([(columns * change).sum(), (rows * change).sum()]) / change.sum() / image.width
        name, x, y, w, h = boxes(image)[0]
        assert name == ("Good Weld" if plates[0].is_good else "Bad Weld")
        assert (np.abs(seen - (x, y)) < np.array((w, h)) / 2).all()
