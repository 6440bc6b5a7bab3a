import json

import numpy as np
from PIL import Image


def test_images_of_a_folder_are_judged_as_clean_json(weld, detector_folder, write_blue, tmp_path):
    write_blue([[100]], "photos/b.png")
    write_blue([[204]], "photos/a.png")
    done = weld("inspect", tmp_path / "photos", "--bundle", detector_folder, "--json")
    value = json.loads(done.stdout)
    assert done.exit_code == 0
    assert value["bundle"]["family"] == "patchcore"
    assert [(each["path"][-5:], each["verdict"], each["score"]) for each in value["verdicts"]] == [
        ("a.png", "fail", 204.0),
        ("b.png", "pass", 100.0),
    ]
    assert value["verdicts"][0]["regions"][0]["peak"] == 204.0


def test_verdict_and_overlay_are_stored_side_by_side(weld, make_detector, write_blue, tmp_path):
    bundle = make_detector(tiling={"tile_px": 8, "overlap_px": 0})
    path = write_blue([[0, 255], [0, 0]], "seam.png")
    done = weld(
        "inspect",
        path,
        "-",
        tmp_path / "gone.png",
        "--bundle",
        bundle,
        "--store",
        tmp_path / "kept",
        input=path.read_bytes(),
    )
    assert done.exit_code == 2
    names = sorted(each.name for each in (tmp_path / "kept").iterdir())
    assert [name.split("_")[0] for name in names] == ["seam", "seam", "stdin", "stdin"]
    record = json.loads((tmp_path / "kept" / names[0]).read_text())
    assert (record["verdict"], record["name"], record["overlay"]) == ("fail", "seam.png", names[1])
    assert names[1] == f"{names[0].removesuffix('.json')}_overlay.png"
    drawn, seen = np.asarray(Image.open(tmp_path / "kept" / names[1])), np.asarray(Image.open(path))
    assert drawn.shape == seen.shape
    # Without heat the image stays as it is; the hot tile does not.
    assert np.array_equal(drawn[8:], seen[8:])
    assert (drawn[:8, 8:] != seen[:8, 8:]).any(axis=2).all()


def test_table_for_people_has_score_place_and_rule(weld, detector_folder, write_blue, tmp_path):
    images = [write_blue([[100]], "a.png"), write_blue([[204]], "b.png"), tmp_path / "c.png"]
    done = weld("inspect", *images, "--bundle", detector_folder)
    for part in (
        "made by a test",
        "PASS",
        "FAIL",
        "204",
        "row 0, column 0: 8 × 8 px",
        "NOT INSPECTED",
        "no such file",
        "1 pass, 1 fail, 1 not inspected",
        "fail from score 128 (f1): nothing, by a test",
    ):
        assert part in done.stdout


def test_views_are_for_classifiers(weld, detector_folder, write_blue):
    done = weld("inspect", write_blue([[1]]), "--bundle", detector_folder, "--tta")
    assert (done.exit_code, "finds anomalies in images, which does not take it; leave it out" in done.stderr) == (
        2,
        True,
    )


def test_bundle_show_tells_input_and_rule(weld, make_detector):
    shown = weld("bundle", "show", make_detector(tiling={"tile_px": 64, "overlap_px": 16})).stdout
    assert "in tiles of 64 px that share 16 px, seen at 8 px" in shown
    assert "fail from score 128 (f1): nothing, by a test" in shown


def test_bundle_is_verified_and_not_split(weld, detector_folder, tmp_path):
    assert "whole, 2 files" in weld("bundle", "verify", detector_folder).stdout
    done = weld("bundle", "split", detector_folder, "--output", tmp_path / "triple")
    assert (done.exit_code, "finds anomalies in images" in done.stderr) == (2, True)
