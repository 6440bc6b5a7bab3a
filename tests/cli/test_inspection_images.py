import json

import numpy as np
import pytest
from PIL import Image


def test_images_of_a_folder_are_judged_as_clean_json(weld, image_folder, write_red, tmp_path):
    write_red(51, "photos/b.png")
    write_red(204, "photos/a.png")
    done = weld("inspect", tmp_path / "photos", "--bundle", image_folder, "--json")
    value = json.loads(done.stdout)
    assert done.exit_code == 0
    assert value["bundle"]["banners"] == ["made by a test"]
    assert [(each["path"][-5:], each["verdict"]) for each in value["verdicts"]] == [
        ("a.png", "fail"),
        ("b.png", "pass"),
    ]
    assert value["verdicts"][0]["probabilities"]["porosity"] == pytest.approx(0.8, abs=1e-6)


def test_image_comes_by_stdin_beside_a_pattern(weld, image_folder, write_red, tmp_path):
    path = write_red(204, "photos/a.png")
    done = weld(
        "inspect", "-", tmp_path / "photos" / "*.png", "--bundle", image_folder, "--json", input=path.read_bytes()
    )
    piped, named = json.loads(done.stdout)["verdicts"]
    assert (piped["path"], named["path"]) == ("stdin", str(path))
    assert (piped["sha256"], piped["probabilities"]) == (named["sha256"], named["probabilities"])


def test_broken_image_does_not_lose_the_others(weld, image_folder, write_red, tmp_path):
    good = write_red(51)
    (tmp_path / "text.png").write_text("no image")
    done = weld("inspect", tmp_path / "text.png", good, "--bundle", image_folder, "--json")
    first, second = json.loads(done.stdout)["verdicts"]
    assert done.exit_code == 2
    assert "is none of PNG" in first["error"]
    assert second["verdict"] == "pass"


def test_table_for_people_has_banners_and_counts(weld, image_folder, write_red, tmp_path):
    done = weld(
        "inspect", write_red(51, "a.png"), write_red(204, "b.png"), tmp_path / "c.png", "--bundle", image_folder
    )
    for part in (
        "made by a test",
        "PASS",
        "FAIL",
        "porosity",
        "0.80",
        "NOT INSPECTED",
        "no such file",
        "1 pass, 1 fail, 1 not inspected",
    ):
        assert part in done.stdout
    assert "fail from p_defect 0.50" in done.stdout


def test_verdicts_are_stored_when_asked(weld, image_folder, write_red, tmp_path):
    images = [write_red(51, "x/same.png"), write_red(204, "y/same.png"), tmp_path / "gone.png"]
    done = weld("inspect", *images, "--bundle", image_folder, "--store", tmp_path / "kept")
    assert done.exit_code == 2
    records = [json.loads(path.read_text()) for path in sorted((tmp_path / "kept").glob("same_2*Z.json"))]
    assert [record["predicted"] for record in records] == ["good_weld", "porosity"]
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_ten_views_are_asked_for_by_tta(weld, image_folder, write_red):
    path = write_red(51)
    for option, n_views in (("--tta", 10), ("--no-tta", 1)):
        done = weld("inspect", path, "--bundle", image_folder, "--json", option)
        assert json.loads(done.stdout)["verdicts"][0]["n_views"] == n_views


def test_option_of_the_other_medium_is_refused(weld, image_folder, bundle_folder, write_red, write_video):
    done = weld("inspect", write_red(51), "--bundle", image_folder, "--travel-speed-cpm", 30)
    message = f"option travel_mm_s: bundle {image_folder} classifies images, which does not take it; leave it out"
    assert (done.exit_code, message in done.stderr) == (2, True)
    done = weld("inspect", write_video([51] * 8), "--bundle", bundle_folder, "--tta")
    message = f"option tta: bundle {bundle_folder} inspects video, which does not take it; leave it out"
    assert (done.exit_code, message in done.stderr) == (2, True)


def test_bundle_show_tells_what_is_looked_at_and_the_rule(weld, image_folder, uncalibrated):
    shown = weld("bundle", "show", image_folder).stdout
    assert "seen at 10 px in views (centre) of 8 px" in shown
    assert "fail from p_defect 0.50" in shown
    assert "where the class is not good_weld; nothing was calibrated" in weld("bundle", "show", uncalibrated).stdout


def test_every_file_of_a_folder_has_a_verdict_or_an_error(weld, image_folder, write_red, tmp_path):
    for name in ("a.png", "b.PNG", "c.jfif", "d.unknown"):
        write_red(51, "shift/x.png").rename(tmp_path / "shift" / name)
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    pages[0].save(tmp_path / "shift/e.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "shift/f.dcm").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "shift/g.avi").write_bytes(b"RIFF\0\0\0\0AVI LIST")
    done = weld("inspect", tmp_path / "shift", "--bundle", image_folder, "--json")
    entries = {each["path"][-5:]: each for each in json.loads(done.stdout)["verdicts"]}
    assert done.exit_code == 2
    assert "1 file(s) passed over, which are no image: 1 .avi" in done.stderr
    assert [entries[name]["verdict"] for name in ("a.png", "b.PNG", ".jfif", "known")] == ["pass"] * 4
    assert "holds 2 pages, and a verdict is on one" in entries["e.tif"]["error"]
    assert entries["f.dcm"]["verdict"] == "not_inspected"


def test_image_of_more_pixels_than_allowed_is_inspected_when_asked(weld, image_folder, write_red):
    path = write_red(51)
    done = weld("inspect", path, "--bundle", image_folder, "--max-pixels", "239", "--json")
    assert (done.exit_code, "more than the 239 allowed" in done.stdout) == (2, True)
    assert weld("inspect", path, "--bundle", image_folder, "--max-pixels", "240").exit_code == 0


def test_doubt_about_pixel_values_stands_below_the_table_and_in_the_record(weld, image_folder, tmp_path):
    Image.fromarray(np.array([[1, 4095]], np.uint16)).save(tmp_path / "low.png")
    done = weld("inspect", tmp_path / "low.png", "--bundle", image_folder, "--store", tmp_path / "kept")
    assert "low_values: pixel values reach 4095 of 65535" in done.stdout
    (record,) = (tmp_path / "kept").glob("*.json")
    assert json.loads(record.read_text())["warnings"][0].startswith("low_values: ")
