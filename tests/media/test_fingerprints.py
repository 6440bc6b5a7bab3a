import io

import numpy as np
import pytest
from PIL import Image

from weld_pipeline.media.fingerprints import (
    MAX_FLICKER_BITS,
    MAX_IMAGE_BITS,
    Fingerprint,
    fingerprint,
    image_scene,
    near_duplicate_images,
    near_duplicates,
)
from weld_pipeline.media.images import read_image
from weld_pipeline.sources.layouts.series import series_of

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


def photo(seed, size=(120, 90)):
    small = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def scenes_of(*images):
    return [image_scene(np.asarray(image)) for image in images]


def re_encoded(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=60)
    return Image.open(buffer).resize((image.width // 2, image.height // 2)).convert("RGB")


def test_image_saved_again_smaller_is_found_in_another_session():
    scenes = scenes_of(photo(0), photo(1), re_encoded(photo(0)))
    assert near_duplicate_images(scenes, ["a", "a", "b"]).tolist() == [[0, 2]]


def test_copies_within_a_session_are_not_told():
    assert near_duplicate_images(scenes_of(photo(0), re_encoded(photo(0))), ["a", "a"]).tolist() == []


def test_unrelated_images_do_not_match():
    scenes = scenes_of(*[photo(seed) for seed in range(60)])
    assert near_duplicate_images(scenes, [str(n) for n in range(60)]).tolist() == []


@pytest.mark.parametrize(("n_bits", "matches"), [(MAX_IMAGE_BITS, 1), (MAX_IMAGE_BITS + 1, 0)])
def test_limit_is_counted_in_bits(n_bits, matches):
    scenes = ["0" * 64, f"{2**n_bits - 1:064x}"]
    assert len(near_duplicate_images(scenes, ["a", "b"])) == matches


def test_one_pair_is_told_for_an_image_and_another_session_the_nearest():
    scenes = ["0" * 64, f"{0b111:064x}", f"{0b1:064x}", f"{0b11:064x}"]
    assert near_duplicate_images(scenes, ["a", "b", "b", "c"]).tolist() == [[0, 2], [0, 3], [1, 3], [2, 3]]


def test_pairs_of_images_are_found_across_batches():
    generator = np.random.default_rng(0)
    scenes = [generator.bytes(32).hex() for _ in range(600)]
    scenes[599] = scenes[3]
    assert near_duplicate_images(scenes, [str(n) for n in range(600)]).tolist() == [[3, 599]]


def test_no_images_have_no_pairs():
    assert near_duplicate_images([], []).shape == (0, 2)


@pytest.mark.parametrize(
    ("folder", "pattern", "n"), [("tig_ss304", "*/*/*.png", 60), ("weld_photos", "*/images/*.jpg", 60)]
)
def test_real_images_match_none_of_another_session_but_themselves_saved_again(real_data, folder, pattern, n):
    paths = sorted((real_data / folder).glob(pattern))[:n]
    images = [Image.fromarray(read_image(path)) for path in paths]
    sessions = [path.parent.name if folder == "tig_ss304" else series_of(path.name) for path in paths]
    assert near_duplicate_images(scenes_of(*images), sessions).tolist() == []
    both = scenes_of(*images[:20], *[re_encoded(image) for image in images[:20]])
    pairs = near_duplicate_images(both, [*["original"] * 20, *["copy"] * 20])
    assert {(k, k + 20) for k in range(20)} <= set(map(tuple, pairs.tolist()))
