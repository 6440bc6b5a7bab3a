"""Features of small videos through a real trunk."""

import numpy as np
import pytest
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.clips import ArcGate
from weld_pipeline.media.decode import Video
from weld_pipeline.nn.device import choose_training_compute, has_fast_bf16
from weld_pipeline.nn.video.compute import Compute, choose_compute
from weld_pipeline.nn.video.features import (
    FeatureWorkerFactory,
    Windows,
    check_request,
    cropped_clips,
    feature_key,
    first_clips,
    kept_features,
    no_features,
)
from weld_pipeline.nn.video.trunk import save_trunk

# Windows of 4 frames keep a convolutional trunk's work small.
WINDOWS = Windows(window=4, stride=3, gate=ArcGate())
FP32 = Compute("cpu", "fp32", "set by the parameters", None)


@pytest.fixture(scope="module")
def saved(random_trunk):
    return save_trunk(*random_trunk)


def test_features_are_those_of_whole_frames_through_the_trunk(random_trunk, saved, arc_video):
    """Cropping once a frame, overlapping windows and batches change nothing against the plain way."""
    path = arc_video("a.avi", n_on=11)
    got = FeatureWorkerFactory(saved, WINDOWS, FP32, batch_size=2)()(path)
    with Video(path) as video:
        frames = torch.from_numpy(np.stack([frame.image for frame in video.frames()]))
    # Five dark frames come first; of the window from 14 two frames of four are arc-on, of the one from 17 none.
    assert got["start"].tolist() == [5, 8, 11, 14]
    with torch.inference_mode():
        embedding, logits = random_trunk[0](torch.stack([frames[start : start + 4] for start in got["start"]]))
    np.testing.assert_allclose(got["embedding"], embedding, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(got["logit"], logits, rtol=1e-3, atol=1e-4)


def test_video_without_a_clip_has_empty_features(saved, arc_video):
    got = FeatureWorkerFactory(saved, WINDOWS, FP32, batch_size=2)()(arc_video("dark.avi", n_on=0))
    assert {name: value.shape for name, value in got.items()} == {
        "embedding": (0, 512),
        "logit": (0, 400),
        "start": (0,),
    }


def test_no_more_than_a_window_of_small_frames_is_held(random_trunk, arc_video):
    clips = cropped_clips(arc_video("long.avi", n_on=40), random_trunk[0].preprocess, WINDOWS)
    clip = next(clips)
    assert len(clip.frames) == 4
    assert all(frame.shape == (112, 112, 3) and frame.dtype == np.uint8 for frame in clip.frames)
    assert next(clips).frames[0] is clip.frames[3]  # overlapping windows share their frames


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "other"},
        {"windows": Windows(4, 2, ArcGate())},
        {"windows": Windows(4, 3, ArcGate(min_luma=9))},
        {"compute": Compute("cpu", "bf16", "set by the parameters", None)},
    ],
)
def test_key_changes_with_everything_features_depend_on(saved, change):
    given = {"sha256": "s", "trunk": saved, "windows": WINDOWS, "compute": FP32}
    assert feature_key(**given) != feature_key(**given | change)


def test_key_does_not_depend_on_why_a_precision_was_chosen(saved):
    given = {"sha256": "s", "trunk": saved, "windows": WINDOWS}
    other = Compute("cpu", "fp32", "measured", 0.3)
    assert feature_key(**given, compute=FP32) == feature_key(**given, compute=other)


def test_first_features_are_kept_of_embedding_or_logits():
    item = {"embedding": np.arange(6.0, dtype=np.float32).reshape(2, 3), "logit": np.ones((2, 5), np.float32)}
    assert kept_features(item, "embedding", 2).tolist() == [[0, 1], [3, 4]]
    assert kept_features(item, "logits", 5).shape == (2, 5)


def test_more_features_than_the_trunk_has_are_refused_before_any_work(saved):
    check_request(saved, "embedding", 512)
    with pytest.raises(WeldError, match=r"n_features is 513, but the trunk's embedding has 512"):
        check_request(saved, "embedding", 513)
    with pytest.raises(WeldError, match="trunk's logits has 400"):
        kept_features(no_features(512, 400), "logits", 401)


def test_footage_without_any_clip_is_named(random_trunk, arc_video):
    with pytest.raises(WeldError, match=r"no clip of 4 arc-on frames in dark2.avi"):
        first_clips([arc_video("dark2.avi", n_on=0)], random_trunk[0].preprocess, WINDOWS)


def test_precision_of_the_parameters_is_taken(random_trunk):
    clips = torch.zeros(1, 4, 112, 112, 3, dtype=torch.uint8)
    for precision in ("bf16", "fp32"):
        chosen = choose_compute(random_trunk[0], clips, precision=precision, max_rounding=0.1)
        assert (chosen.precision, chosen.rounding) == (precision, None)


@pytest.mark.skipif(not has_fast_bf16(), reason="the processor does not round to bf16, whatever the precision")
def test_auto_measures_rounding_in_standard_deviations_between_clips(random_trunk, monkeypatch):
    monkeypatch.setattr("weld_pipeline.nn.video.compute.has_fast_bf16", lambda: True)
    generator = torch.Generator().manual_seed(0)
    clips = torch.randint(0, 256, (1, 2, 112, 112, 3), dtype=torch.uint8, generator=generator)
    alike = torch.cat([clips, clips])
    alike[1, 0, 50, 50] = 255 - alike[1, 0, 50, 50]  # one pixel: a standard deviation smaller than any rounding

    def choose(clips, max_rounding):
        return choose_compute(random_trunk[0], clips, precision="auto", max_rounding=max_rounding)

    refused, taken = choose(alike, 1.0), choose(torch.cat([clips, clips // 4]), 1.0)
    assert (refused.precision, refused.rounding > 1) == ("fp32", True)
    assert "1.0 is allowed" in refused.reason
    assert (taken.precision, 0 < taken.rounding < refused.rounding / 5) == ("bf16", True)


@pytest.mark.parametrize(("option", "taken"), [("auto", "fp32"), ("fp32", "fp32"), ("bf16", "bf16")])
def test_training_on_a_processor_takes_bf16_only_if_set(monkeypatch, option, taken):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert choose_training_compute(option).precision == taken


@pytest.mark.parametrize(("rounding", "precision"), [(0.1, "bf16"), (0.15, "bf16"), (0.151, "fp32")])
def test_auto_takes_bf16_up_to_the_rounding_allowed(random_trunk, monkeypatch, rounding, precision):
    monkeypatch.setattr("weld_pipeline.nn.video.compute.has_fast_bf16", lambda: True)
    monkeypatch.setattr("weld_pipeline.nn.video.compute._rounding", lambda *_: rounding)
    clips = torch.zeros(2, 4, 112, 112, 3, dtype=torch.uint8)
    assert choose_compute(random_trunk[0], clips, precision="auto", max_rounding=0.15).precision == precision


def test_auto_takes_fp32_where_bf16_is_slow(random_trunk, monkeypatch):
    monkeypatch.setattr("weld_pipeline.nn.video.compute.has_fast_bf16", lambda: False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    clips = torch.zeros(2, 4, 112, 112, 3, dtype=torch.uint8)
    chosen = choose_compute(random_trunk[0], clips, precision="auto", max_rounding=0.15)
    assert (chosen.precision, chosen.reason) == ("fp32", "the processor has neither AVX512-BF16 nor AMX")


def test_auto_needs_two_clips_for_a_spread(random_trunk, monkeypatch):
    monkeypatch.setattr("weld_pipeline.nn.video.compute.has_fast_bf16", lambda: True)
    with pytest.raises(WeldError, match=r"1 clip\(s\) to measure rounding on, 2 are needed"):
        choose_compute(
            random_trunk[0], torch.zeros(1, 4, 112, 112, 3, dtype=torch.uint8), precision="auto", max_rounding=0.1
        )
