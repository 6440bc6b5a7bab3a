import numpy as np
import pytest

from weld_pipeline.synthetic.drawn.shop.defects import weld_motion
from weld_pipeline.synthetic.drawn.shop.drawing import example_weld
from weld_pipeline.synthetic.drawn.shop.video import weld_frames
from weld_pipeline.synthetic.drawn.shop.welds import CLASSES, FPS

# Frames are 320×200; the torch axis stands near column 159, the plate edge near row 92.


def arc_column(frames):
    white = frames >= 250
    return (white * np.arange(frames.shape[2])).sum((1, 2)) / np.maximum(white.sum((1, 2)), 1)


def glow_below_edge(frames):
    return (frames[:, 106:122, 140:160] > 120).mean()


def falling_drops(frames):
    return (frames[:, 125:] > 150).mean()


def flicker_in_pool(frames):
    return np.abs(np.diff(frames[:, 75:88, 85:125], axis=0)).mean()


def sideways_whip(frames):
    return arc_column(frames).std()


def metal_over_edge(frames):
    return (frames[:, 97:110, 70:130] > 70).mean()


def arc_off_seam(frames):
    return arc_column(frames).mean() - 135


def height_of_crown(frames):
    return (frames[:, 60:72, 100:145] > 70).mean()


def flying_spatter(frames):
    return (frames[:, :60] > 150).mean()


def movement_of_edge(frames):
    pool = np.median(frames[:, 60:125, 115:120], axis=2) > 60
    return (65 - np.argmax(pool[:, ::-1], axis=1))[pool.any(axis=1)].std()


def fading(frames):
    third = len(frames) // 3
    return frames[:third].mean() / frames[-third:].mean()


SIGNATURES = {
    "Excessive_Penetration": (glow_below_edge, 2),
    "Burnthrough": (falling_drops, 5),
    "Porosity": (flicker_in_pool, 1.5),
    "Porosity_w_Excessive_Penetration": (glow_below_edge, 2),
    "Undercut": (sideways_whip, 2),
    "Overlap": (metal_over_edge, 5),
    "Lack_of_Fusion": (arc_off_seam, 1.5),
    "Excessive_Convexity": (height_of_crown, 1.5),
    "Spatter": (flying_spatter, 5),
    "Warping": (movement_of_edge, 3),
    "Crater_Cracks": (fading, 1.3),
}


def welds(label):
    """Frames of three welds once the pool has grown."""
    for number in (1, 2, 3):
        weld = example_weld(label, number=number, arc_s=2.0, lead_s=0.0, width=320)
        yield np.stack(list(weld_frames(weld))).astype(float)[15:]


@pytest.fixture(scope="module")
def good_welds():
    return list(welds("Good"))


@pytest.mark.parametrize("label", CLASSES[1:])
def test_defect_shows_its_physics_more_than_good_welds_do(label, good_welds):
    statistic, factor = SIGNATURES[label]
    ours = np.median([statistic(frames) for frames in welds(label)])
    assert ours > factor * np.median([statistic(frames) for frames in good_welds])


def motion(label, seed, arc_s=2.0):
    return weld_motion(
        label, arc_s=arc_s, fps=float(FPS), speed_cpm=28.0, thickness_mm=7.0, rng=np.random.default_rng(seed)
    )


@pytest.mark.parametrize("label", CLASSES)
def test_same_seed_gives_same_movement_and_another_seed_another(label):
    one, again, other = motion(label, 0), motion(label, 0), motion(label, 1)
    np.testing.assert_array_equal(one.pool_length, again.pool_length)
    assert not np.array_equal(one.pool_length, other.pool_length)


@pytest.mark.parametrize("label", CLASSES)
def test_nothing_the_arc_drives_goes_on_after_it(label):
    moved = motion(label, 3)
    after = ~moved.is_burning
    assert moved.is_burning.sum() == 2 * FPS
    assert after.any()
    for name in ("level", "sparks", "drops", "flow", "root", "bubbles"):
        assert not getattr(moved, name)[after].any()
    assert np.all(np.diff(moved.heat[after]) < 0)
