import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.jpeg_camera import JpegCamera
from weld_pipeline.core.saved_model import SavedModel, write_model
from weld_pipeline.media import camera


def test_inspect_prints_clean_json(weld, bundle_folder, write_video):
    path = write_video([255] * 8)
    done = weld("inspect", path, "--bundle", bundle_folder, "--json")
    value = json.loads(done.stdout)
    assert done.exit_code == 0
    assert value["bundle"]["banners"] == ["made by a test"]
    assert value["bundle"]["policy"] == {"kind": "p_defect", "threshold": 0.5}
    (video,) = value["verdicts"]
    assert (video["path"], video["verdict"], video["n_clips"]) == (str(path), "fail", 3)
    assert video["worst"]["start_mm"] is None


def test_either_engine_gives_a_video_the_same_verdict(weld, bundle_folder, write_video):
    path = write_video([None] * 3 + [51] * 4 + [204] * 8)
    arguments = ("inspect", path, "--bundle", bundle_folder, "--json", "--engine")
    ours, theirs = (json.loads(weld(*arguments, engine).stdout) for engine in ("onnxruntime", "openvino"))
    assert theirs["bundle"] == ours["bundle"]
    (one,), (other,) = ours["verdicts"], theirs["verdicts"]
    assert [other[name] for name in ("verdict", "predicted", "n_clips")] == ["fail", "porosity", 5]
    assert [one[name] for name in ("verdict", "predicted", "n_clips")] == ["fail", "porosity", 5]
    for name in ("score", "p_defect", "anomaly", "probabilities"):
        assert other[name] == pytest.approx(one[name], abs=1e-5)
    for clip, twin in zip(one["clips"], other["clips"], strict=True):
        assert twin["predicted"] == clip["predicted"]
        assert twin["probabilities"] == pytest.approx(clip["probabilities"], abs=1e-5)


@pytest.mark.parametrize("command", ["inspect", "live"])
def test_engine_that_is_not_installed_is_named(weld, bundle_folder, write_video, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "openvino", None)
    done = weld(command, write_video([51] * 8), "--bundle", bundle_folder, "--engine", "openvino")
    assert (done.exit_code, "the package openvino is not installed" in done.stderr) == (2, True)


def test_engine_that_is_none_is_refused(weld, bundle_folder, write_video):
    done = weld("inspect", write_video([51] * 6), "--bundle", bundle_folder, "--engine", "abacus")
    assert done.exit_code == 2
    for part in ("--engine", "abacus", "onnxruntime", "openvino"):
        assert part in done.stderr


def test_verdicts_on_videos_are_stored_when_asked(weld, bundle_folder, write_video, tmp_path):
    paths = [write_video([51] * 8, "x/seam.avi"), write_video([255] * 8, "y/seam.avi"), tmp_path / "gone.avi"]
    done = weld("inspect", *paths, "--bundle", bundle_folder, "--store", tmp_path / "kept")
    assert done.exit_code == 2
    records = [json.loads(path.read_text()) for path in sorted((tmp_path / "kept").iterdir())]
    assert [(record["name"], record["verdict"]) for record in records] == [("seam.avi", "pass"), ("seam.avi", "fail")]


def test_inspect_takes_the_travel_speed(weld, bundle_folder, write_video):
    done = weld("inspect", write_video([51] * 8), "--bundle", bundle_folder, "--json", "--travel-speed-cpm", 60)
    (video,) = json.loads(done.stdout)["verdicts"]
    assert video["travel_mm_s"] == 10.0
    assert video["clips"][1]["start_mm"] == pytest.approx(2.0)  # 2 frames at 10 frames/s and 10 mm/s


def test_inspect_takes_the_travel_speed_of_the_manifest(weld, bundle_folder, write_video, tmp_path):
    write_video([51] * 8, name="tree/c/r/r.avi")
    (tmp_path / "tree" / "manifest.csv").write_text("ROBOT_SPEED_CPM,SUBDIRS\n30,c/r\n")
    done = weld("inspect", tmp_path / "tree", "--bundle", bundle_folder, "--json")
    assert json.loads(done.stdout)["verdicts"][0]["travel_mm_s"] == 5.0


def test_broken_video_does_not_lose_the_others(weld, bundle_folder, write_video, tmp_path):
    write_video([51] * 8, name="films/b.avi")
    (tmp_path / "films" / "a.avi").write_bytes(b"")
    (tmp_path / "films" / "c.mp4").write_text("not a video")
    (tmp_path / "films" / "notes.txt").write_text("left alone")
    (tmp_path / "bare").mkdir()
    paths = [tmp_path / "films", tmp_path / "missing.avi", tmp_path / "bare"]
    done = weld("inspect", *paths, "--bundle", bundle_folder, "--json")
    videos = json.loads(done.stdout)["verdicts"]
    assert done.exit_code == 2
    assert ["error" in video for video in videos] == [True, False, True, True, True]
    assert [video["verdict"] for video in videos] == ["not_inspected", "pass", *["not_inspected"] * 3]
    errors = [video.get("error", "") for video in videos]
    for error, part in zip(errors, ("0 bytes", "", "cannot be opened", "no such file", "holds no video"), strict=True):
        assert part in error


def test_inspect_shows_a_table(weld, bundle_folder, write_video):
    done = weld("inspect", write_video([51] * 8 + [255] * 8), "--bundle", bundle_folder, "--travel-speed-cpm", 60)
    assert done.exit_code == 0
    for part in ("made by a test", "weld.avi", "FAIL", "porosity", "██", "mm"):
        assert part in done.stdout


def test_inspect_without_arc_says_so(weld, bundle_folder, write_video):
    done = weld("inspect", write_video([None] * 8), "--bundle", bundle_folder)
    assert "NO ARC" in done.stdout
    assert "PASS" not in done.stdout


def test_tampered_bundle_is_one_line_and_exit_code_two(bundle_folder, write_video):
    (bundle_folder / "card.md").write_text("better")
    command = [sys.executable, "-m", "weld_pipeline.cli", "inspect", write_video([51]), "--bundle", bundle_folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "card.md is not the file that was exported" in done.stderr


def test_live_prints_a_json_line_a_clip_and_the_verdict(weld, bundle_folder, write_video):
    path = write_video([51] * 8)
    done = weld("live", path, "--bundle", bundle_folder, "--json")
    start, *clips, end = map(json.loads, done.stdout.splitlines())
    inspected = json.loads(weld("inspect", path, "--bundle", bundle_folder, "--json").stdout)["verdicts"][0]
    assert start["banners"] == ["made by a test"]
    assert [clip["event"] for clip in clips] == ["clip"] * 3
    assert [clip["p_not_good"] for clip in clips] == [clip["p_not_good"] for clip in inspected["clips"]]
    assert (end["event"], end["verdict"], end["p_defect"]) == ("verdict", "pass", inspected["p_defect"])
    assert end["n_dropped_clips"] == 0


def test_live_camera_that_breaks_off_gives_the_verdict_and_exit_code_2(weld, bundle_folder, monkeypatch):
    monkeypatch.setattr(camera, "_READ_S", 0.3)
    images = [np.full((48, 64, 3), (51, 200, 51), np.uint8)] * 9
    with JpegCamera(images, fps=50, hangs_after=8) as device:
        done = weld("live", device.url, "--bundle", bundle_folder, "--json")
    end = json.loads(done.stdout.splitlines()[-1])
    assert (end["event"], end["verdict"], done.exit_code) == ("verdict", "pass", 2)
    assert "broke off after 8 frames" in end["broke_off"]


def test_live_file_cut_short_gives_no_verdict(weld, bundle_folder, write_video):
    path = write_video([51] * 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = weld("live", path, "--bundle", bundle_folder, "--json")
    assert (done.exit_code, '"event": "verdict"' in done.stdout) == (2, False)


def test_video_that_cannot_be_judged_is_one_entry_beside_the_others(weld, bundle_folder, write_video, tmp_path):
    write_video([51] * 8, "films/whole.avi")
    content = write_video([51] * 8, "films/other.avi").read_bytes()
    (tmp_path / "films" / "codec.avi").write_bytes(content.replace(b"FFV1", b"QQ9Z"))
    (tmp_path / "films" / "list.mp4").write_text("ffconcat version 1.0\nfile whole.avi\n")
    (tmp_path / "films" / "other.avi").write_bytes(content[:-2000])
    done = weld("inspect", tmp_path / "films", "--bundle", bundle_folder, "--json")
    verdicts = {Path(entry["path"]).name: entry for entry in json.loads(done.stdout)["verdicts"]}
    assert {name: entry["verdict"] for name, entry in verdicts.items()} == {
        **dict.fromkeys(("codec.avi", "list.mp4", "other.avi"), "not_inspected"),
        "whole.avi": "pass",
    }
    assert "no decoder knows its codec" in verdicts["codec.avi"]["error"]
    assert done.exit_code == 2


def test_live_prints_lines_for_people(weld, bundle_folder, write_video):
    done = weld("live", write_video([255] * 8), "--bundle", bundle_folder)
    assert done.exit_code == 0
    for part in ("porosity", "FAIL", "real-time factor", "0 clips dropped"):
        assert part in done.stdout


def test_interrupted_live_still_gives_the_verdict(bundle_folder, write_video):
    path = write_video([51] * 600)  # a minute at its own pace
    command = [sys.executable, "-m", "weld_pipeline.cli", "live", path, "--bundle", bundle_folder, "--json", "--pace"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
        # A shell starts its background jobs deaf to Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - no threads here
    )
    lines = [process.stdout.readline() for _ in range(3)]
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    rest, error = process.communicate(timeout=20)
    assert [json.loads(line)["event"] for line in lines] == ["start", "clip", "clip"]
    assert json.loads(rest.splitlines()[-1])["verdict"] == "pass"
    assert "stopped" in error
    assert process.returncode == 0


def test_bundle_show_tells_provenance(weld, bundle_folder):
    text = weld("bundle", "show", bundle_folder).stdout
    for part in ("made by a test", "good_weld, porosity", "model.onnx", "0.250 to 0.750, n 40", "too small"):
        assert part in text
    value = json.loads(weld("bundle", "show", bundle_folder, "--json").stdout)
    assert value["decision"]["policy"] == {"kind": "p_defect", "threshold": 0.5}
    assert value["sha256"] == json.loads((bundle_folder / "bundle.json").read_text())["sha256"]


def test_bundle_verify_says_whole(weld, bundle_folder):
    assert "whole, 2 files" in weld("bundle", "verify", bundle_folder).stdout
    assert json.loads(weld("bundle", "verify", bundle_folder, "--json").stdout)["is_whole"] is True


def test_checkpoint_show_tells_family_and_shapes(weld, tmp_path):
    tensors = {"encoder.weight": np.zeros((64, 256), np.float32)}
    model = SavedModel("autoencoder", {"latent": 64}, tensors, {"best_epoch": 7}, {"data_sha256": "abc"})
    write_model(tmp_path / "model.safetensors", model)
    text = weld("checkpoint", "show", tmp_path / "model.safetensors").stdout
    for part in ("autoencoder", "64 × 256", "best_epoch", "7", "16,384", "abc"):
        assert part in text
    value = json.loads(weld("checkpoint", "show", tmp_path / "model.safetensors", "--json").stdout)
    assert value["tensors"]["encoder.weight"]["shape"] == [64, 256]


def test_pickle_is_refused_unopened(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"cos\nsystem\n(S'touch opened'\ntR.")  # a pickle that would run a command
    command = [sys.executable, "-m", "weld_pipeline.cli", "checkpoint", "show", "model.pt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no pickle is ever opened" in done.stderr
    assert not (tmp_path / "opened").exists()


def test_commands_at_the_line_run_without_heavy_libraries(
    bundle_folder, image_folder, detector_folder, write_video, write_red
):
    video, image = write_video([51] * 8), write_red(51)
    commands = [
        *(["inspect", video, "--bundle", bundle_folder, "--engine", engine] for engine in ("onnxruntime", "openvino")),
        ["inspect", image, "--bundle", image_folder],
        ["inspect", image, "--bundle", detector_folder],
        ["live", video, "--bundle", bundle_folder],
        *(["bundle", command, bundle_folder] for command in ("show", "verify")),
    ]
    script = (
        "import sys\nfrom weld_pipeline.cli import app\n"
        f"for command in {[[str(part) for part in command] for command in commands]!r}:\n"
        "    assert not app(command, standalone_mode=False), command\n"
        "    heavy = {'torch', 'kedro', 'pandas', 'mlflow', 'scipy', 'matplotlib', 'jaxtyping'} & set(sys.modules)\n"
        "    assert not heavy, (command, heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("PASS") == 5
