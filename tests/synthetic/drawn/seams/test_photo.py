import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from weld_pipeline.synthetic.drawn.seams.flaws import FLAWS
from weld_pipeline.synthetic.drawn.seams.line import SEEN, WINDOW, line_of, make_seam
from weld_pipeline.synthetic.drawn.seams.photo import VISIBLE, draw_seam, draw_seam_mask, seam_photo
from weld_pipeline.synthetic.drawn.seams.plan import plan_seams
from weld_pipeline.synthetic.drawn.surfaces.bead import PLATE

WIDTH = 192
# Seeds of a line on mill scale, on brushed and on stainless steel.
SEEDS = (2024, 0, 1)


def seams(label, n=4, seed=2024, width=WIDTH):
    plan = plan_seams(n_train_good=1, n_test_good=n, n_per_defect=n, width=width, seed=seed)
    return [image for image in plan if image.path.startswith(f"test/{label}/")]


def opened(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def change(image):
    """Return how much each pixel of a photograph differs from the same seam without its defect, by its sign."""
    flawed, sound = (opened(draw_seam(each)).astype(int) for each in (image, replace(image, label="good")))
    return flawed - sound


def mask(image):
    return opened(draw_seam_mask(image)) > 0


def regions(image):
    """Return width, height and area of each connected region of a mask, the largest first."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask(image).astype(np.uint8))
    return sorted((tuple(map(int, row[2:5])) for row in stats[1:]), key=lambda region: -region[2])


def test_seeds_are_of_three_kinds_of_steel():
    kinds = {line_of(seams("good", seed=seed)[0].session_rng("line")).kind for seed in SEEDS}
    assert len(kinds) == len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("label", FLAWS)
def test_mask_is_what_the_defect_changed_visibly(label, seed):
    for image in seams(label, n=2, seed=seed):
        drawn = opened(draw_seam_mask(image))
        changed = np.abs(change(image)).max(axis=2) >= VISIBLE
        near = cv2.dilate(changed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert drawn.shape == (WIDTH, WIDTH)
        assert set(np.unique(drawn)) == {0, 255}
        assert not (changed & (drawn == 0)).any()  # nothing visible is left out
        assert not ((drawn > 0) & ~near).any()  # and only gaps of a pixel are added


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("label", FLAWS)
def test_every_defect_can_be_seen_and_is_small(label, seed):
    for image in seams(label, seed=seed):
        is_flawed = mask(image)
        assert 0.001 < is_flawed.mean() < 0.06
        assert np.abs(change(image)).max(axis=2)[is_flawed].mean() > 1.5 * VISIBLE


@pytest.mark.parametrize("label", FLAWS)
def test_defects_of_a_kind_differ_in_size(label):
    areas = [mask(image).mean() for image in seams(label, n=6)]
    assert max(areas) > 1.4 * min(areas)


def test_scratch_is_brighter_than_what_it_crosses_and_all_else_is_darker():
    for label in FLAWS:
        for image in seams(label):
            tone = change(image)[mask(image)].mean()
            assert tone > 0 if label == "scratch" else tone < 0


def test_porosity_is_a_cluster_and_a_void_one_hole():
    # Pits that touch are one region of the mask.
    assert all(len(regions(image)) >= 2 for image in seams("porosity", n=6, width=256))
    assert np.mean([len(regions(image)) for image in seams("porosity", n=6, width=256)]) > 4
    for image in seams("void"):
        width, height, area = regions(image)[0]
        assert area > 0.9 * mask(image).sum()
        assert max(width, height) < 2.2 * min(width, height)
        assert area > 0.5 * width * height


def test_crack_scratch_and_undercut_are_long_and_thin():
    for label in ("crack", "scratch", "undercut"):
        for image in seams(label):
            rows, columns = np.nonzero(mask(image))
            std = np.sqrt(np.linalg.eigvalsh(np.cov(np.stack((rows, columns)))))
            assert std[1] > 3 * std[0], (label, image.path)


def test_undercut_lies_outside_the_toes_of_the_bead():
    for image in seams("undercut", n=6):
        bead = make_seam(line_of(image.session_rng("line")), image.rng("bead"))
        rows, columns = np.nonzero(mask(image))
        x = PLATE[0] // 2 - SEEN // 2 + (columns / WIDTH * SEEN).astype(int)
        off = np.abs((rows / WIDTH - 0.5) * SEEN + PLATE[1] / 2 - bead.centre[x]) - bead.half[x]
        assert -4 < off.mean() < 8  # units; the camera's jitter is up to 6 of them


def test_seams_of_a_line_are_alike_and_lie_alike():
    images = seams("good", n=12)
    seen = slice(WINDOW[0], WINDOW[0] + WINDOW[2])
    beads = [make_seam(line_of(image.session_rng("line")), image.rng("bead")) for image in images]
    assert all(abs(bead.centre[seen].mean() - PLATE[1] / 2) < 0.01 for bead in beads)
    halves = np.array([bead.half[seen].mean() for bead in beads])
    assert 0.005 < halves.std() / halves.mean() < 0.1
    photos = np.stack([seam_photo(image) for image in images]).astype(float)
    assert photos.mean(axis=(1, 2, 3)).std() < 0.1 * photos.mean()
    assert photos.std(axis=0).mean() > 3  # and yet no two are the same


def test_drawing_again_gives_the_same_bytes_in_any_order():
    first, last = seams("crack", n=2)
    before = draw_seam(last), draw_seam_mask(last)
    draw_seam(first)
    assert (draw_seam(last), draw_seam_mask(last)) == before


def test_photograph_and_mask_say_that_they_are_drawn():
    drawn = seams("void", n=1)[0]
    for draw, mode in ((draw_seam, "RGB"), (draw_seam_mask, "L")):
        image = Image.open(io.BytesIO(draw(drawn)))
        assert image.mode == mode
        assert "not a recording of a real weld" in image.info["Comment"]
