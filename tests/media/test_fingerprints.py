import numpy as np
import pytest

from weld_pipeline.media.fingerprints import MAX_FLICKER_BITS, Fingerprint, fingerprint, near_duplicates

SCENE = np.add.outer(np.arange(40.0), np.arange(60.0))


def lumas(n, seed):
    return np.random.default_rng(seed).normal(100, 20, n)


def test_flicker_is_one_where_a_frame_is_brighter_than_the_last():
    assert fingerprint(SCENE, [1.0, 2.0, 2.0, 3.0, 0.0]).flicker == "1010"


def test_flicker_is_remembered_for_a_bounded_time():
    assert len(fingerprint(SCENE, lumas(2000, 0).tolist()).flicker) == MAX_FLICKER_BITS


def test_unrelated_recordings_of_one_scene_do_not_match():
    marks = [fingerprint(SCENE, lumas(300, seed).tolist()) for seed in range(60)]
    assert near_duplicates(marks).tolist() == []


@pytest.mark.parametrize("start", [0, 7, 150])
def test_part_of_a_recording_matches_wherever_it_begins(start):
    whole = lumas(300, 1)
    marks = [fingerprint(SCENE, values.tolist()) for values in (lumas(300, 2), whole, whole[start : start + 140])]
    assert near_duplicates(marks).tolist() == [[1, 2]]


def test_same_flicker_in_another_scene_is_no_match():
    other = np.random.default_rng(0).uniform(0, 255, SCENE.shape)
    values = lumas(300, 1).tolist()
    assert near_duplicates([fingerprint(SCENE, values), fingerprint(other, values)]).tolist() == []


def test_too_little_in_common_is_no_match():
    # Seven standard deviations of n signs are 7√n; n agreeing ones reach that from n = 49.
    flicker = "".join("1" if value > 100 else "0" for value in lumas(49, 3))
    assert near_duplicates([Fingerprint("0" * 16, flicker)] * 2).tolist() == [[0, 1]]
    assert near_duplicates([Fingerprint("0" * 16, flicker[:48])] * 2).tolist() == []


def test_pairs_are_found_across_batches():
    # 300 recordings of one scene are 44,850 pairs, more than one batch of pairs and of rows.
    marks = [fingerprint(SCENE, lumas(120, seed).tolist()) for seed in range(299)]
    assert near_duplicates([*marks, marks[0]]).tolist() == [[0, 299]]


def test_no_recordings_have_no_pairs():
    assert near_duplicates([]).shape == (0, 2)
