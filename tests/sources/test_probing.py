import os

import numpy as np
from PIL import Image

from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.stores import JsonStore
from weld_pipeline.media.clips import ArcGate
from weld_pipeline.sources.probing import pending_image_probes, pending_probes, read_probes

SETTINGS = {
    "gate": ArcGate(),
    "window": 16,
    "stride": 8,
    "min_decoded_fraction": 0.99,
    "thumbnail_px": 48,
    "n_workers": 1,
}


def run(root, store, names, **changes):
    pending = pending_probes(root, {name: f"{name}.avi" for name in names}, **SETTINGS | changes)
    report = map_items(pending, store)
    store.commit({item.id: item.key for item in pending.items})
    return report


def test_probes_come_back_as_they_were_made(film, tmp_path):
    film(tmp_path / "a.avi", seed=1)
    (tmp_path / "b.avi").write_text("no video")
    store = JsonStore(tmp_path / "probes")
    run(tmp_path, store, ["a", "b"])
    probes = read_probes(store)
    assert (probes["a"].problem, probes["a"].n_frames) == (None, 68)
    assert probes["b"].problem.startswith("not_a_video: ")


def test_file_is_probed_again_only_when_it_or_a_parameter_changed(film, tmp_path):
    for name in "ab":
        film(tmp_path / f"{name}.avi", seed=1)
    store = JsonStore(tmp_path / "probes")
    assert run(tmp_path, store, "ab").n_done == 2
    assert run(tmp_path, store, "ab").n_done == 0
    os.utime(tmp_path / "a.avi", ns=(1, 1))
    assert run(tmp_path, store, "ab").n_done == 1
    assert run(tmp_path, store, "ab", window=32).n_done == 2


def test_moving_the_footage_folder_probes_nothing_again(film, tmp_path):
    film(tmp_path / "here/a.avi")
    store = JsonStore(tmp_path / "probes")
    run(tmp_path / "here", store, "a")
    (tmp_path / "here").rename(tmp_path / "there")
    assert run(tmp_path / "there", store, "a").n_kept == 1


def test_two_processes_give_the_same_probes_as_one(film, tmp_path):
    for seed in range(2):
        film(tmp_path / f"{seed}.avi", seed=seed)
    stores = [JsonStore(tmp_path / f"probes{n}") for n in (1, 2)]
    for n, store in enumerate(stores, start=1):
        run(tmp_path, store, "01", n_workers=n)
    assert dict(stores[0]) == dict(stores[1])


def draw_images(root, names):
    root.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        Image.fromarray(np.full((8, 8), 20 * number, dtype=np.uint8)).save(root / f"{name}.png")


def run_images(root, store, names, **changes):
    settings = {"masks": {}, "max_pixels": 1000, "thumbnail_px": 32, "n_workers": 1} | changes
    pending = pending_image_probes(root, {name: f"{name}.png" for name in names}, **settings)
    report = map_items(pending, store)
    store.commit({item.id: item.key for item in pending.items})
    return report


def test_images_are_probed_once_until_they_or_a_parameter_change(tmp_path):
    draw_images(tmp_path, "abc")
    (tmp_path / "c.png").write_text("no image")
    store = JsonStore(tmp_path / "probes")
    assert run_images(tmp_path, store, "abc").n_done == 3
    assert run_images(tmp_path, store, "abc").n_kept == 3
    os.utime(tmp_path / "a.png", ns=(1, 1))
    assert run_images(tmp_path, store, "abc").n_done == 1
    assert run_images(tmp_path, store, "abc", max_pixels=63).n_done == 3
    problems = {name: probe.problem.split(":")[0] for name, probe in read_probes(store).items()}
    assert problems == {"a": "too_large", "b": "too_large", "c": "not_an_image"}


def draw_mask(path, *, marked, size=(8, 8)):
    pixels = np.zeros(size, dtype=np.uint8)
    pixels[0, :marked] = 255
    Image.fromarray(pixels).save(path)


def test_mask_is_read_with_its_image_and_again_when_it_changed(tmp_path):
    draw_images(tmp_path, "ab")
    draw_mask(tmp_path / "mask.png", marked=3)
    store, masks = JsonStore(tmp_path / "probes"), {"a": "mask.png"}
    run_images(tmp_path, store, "ab", masks=masks)
    assert {name: probe.mask_px for name, probe in read_probes(store).items()} == {"a": 3, "b": None}
    draw_mask(tmp_path / "mask.png", marked=5)
    os.utime(tmp_path / "mask.png", ns=(1, 1))
    assert run_images(tmp_path, store, "ab", masks=masks).n_done == 1
    assert read_probes(store)["a"].mask_px == 5


def test_mask_that_does_not_fit_or_cannot_be_read_is_the_images_problem(tmp_path):
    draw_images(tmp_path, "abc")
    draw_mask(tmp_path / "wide.png", marked=1, size=(8, 9))
    (tmp_path / "torn.png").write_bytes((tmp_path / "wide.png").read_bytes()[:45])
    (tmp_path / "c.png").write_text("no image")
    store = JsonStore(tmp_path / "probes")
    run_images(tmp_path, store, "abc", masks={"a": "wide.png", "b": "torn.png", "c": "wide.png"})
    probes = read_probes(store)
    assert probes["a"].problem == (
        "mask_size: the mask is 9×8 px, its image 8×8 px; export it again in the image's size, or take it away"
    )
    assert probes["b"].problem.startswith("bad_mask: the mask cannot be read: does not decode to its end")
    assert probes["c"].problem.startswith("not_an_image")  # the image's own trouble comes first


def test_masks_of_others_do_not_renew_a_probe(tmp_path):
    draw_images(tmp_path, "ab")
    draw_mask(tmp_path / "mask.png", marked=3)
    store = JsonStore(tmp_path / "probes")
    run_images(tmp_path, store, "ab")
    assert run_images(tmp_path, store, "ab", masks={"a": "mask.png"}).n_done == 1
