"""Video probe: size, arc, brightness and fingerprint of a recording in one pass, or why it cannot be used."""

import base64
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import sha256_file
from weld_pipeline.media.clips import ArcGate, arc_clips
from weld_pipeline.media.decode import Video
from weld_pipeline.media.fingerprints import MAX_FLICKER_BITS, Fingerprint, fingerprint

# Raise it when the same file would give another probe; stored probes are then computed again.
PROBE_VERSION = 1
_STEP = 4  # every fourth pixel each way, as the arc gate sees it
REC601 = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_MAX_THUMBNAILS = 16


@dataclass(frozen=True)
class Probe:
    """The result of decoding a recording or an image once; all fields are JSON values.

    An image has one frame, and neither frame rate nor arc.

    Attributes:
        problem: Problem as `code: what is wrong; what to do`, or None if it can be used. Codes: empty, unreadable,
            truncated; of a recording not_a_video, frame_size, no_arc, too_short; of an image not_an_image, too_large, unsupported,
            bad_mask, mask_size.
        sha256: Hash of its bytes; None if they cannot be read.
        n_frames: Frames decoded, whatever the header claims.
        arc_start_s: Time of the first arc-on frame [s].
        arc_on_s: Time from the first to the last arc-on frame [s].
        mean_luma: Mean Rec. 601 luma over the arc-on frames, or over the image [0..255].
        scene: Scene of `Fingerprint`; of an image, `image_scene`.
        flicker: Flicker of `Fingerprint`.
        thumbnail: A frame from the middle of the weld, or the image, as base64 JPEG.
        mask_px: Pixels that the image's mask marks; None if it has no mask.
    """

    problem: str | None
    n_bytes: int
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    n_frames: int | None = None
    arc_start_s: float | None = None
    arc_on_s: float | None = None
    mean_luma: float | None = None
    scene: str | None = None
    flicker: str | None = None
    thumbnail: str | None = None
    mask_px: int | None = None

    @property
    def fingerprint(self) -> Fingerprint | None:
        """Return the fingerprint of the recording, or None where no arc was seen."""
        return Fingerprint(self.scene, self.flicker) if self.scene and self.flicker is not None else None


def probe_video(
    path: Path, *, gate: ArcGate, window: int, stride: int, min_decoded_fraction: float, thumbnail_px: int
) -> Probe:
    """Return what a recording holds, or why it cannot be used; a bad file is a result, not an error.

    The clips counted are those training will see, by the same code.

    Args:
        path: The file; it must exist.
        window: Clip length in frames.
        stride: Distance between clip starts in frames.
        min_decoded_fraction: Share of the frames the header claims that must decode [0..1].
        thumbnail_px: Width of the thumbnail.
    """
    n_bytes = path.stat().st_size
    if n_bytes == 0:
        return Probe("empty: the file has 0 bytes; copy it again from the recorder", n_bytes)
    if not os.access(path, os.R_OK):
        return Probe("unreadable: no permission to read the file; grant it", n_bytes)
    sha256 = sha256_file(path)
    try:
        video = Video(path)
    except WeldError as error:
        return Probe(f"not_a_video: {_without_path(error, path)}", n_bytes, sha256)
    stats = _FrameStatistics(gate, thumbnail_px)
    broken, n_clips = None, 0
    with video:
        try:
            clips = arc_clips(stats.watch(video.frames()), gate=gate, window=window, stride=stride, transform=_nothing)
            n_clips = sum(1 for _ in clips)
        except WeldError as error:
            broken = _without_path(error, path)
        problem = _problem(
            stats,
            broken,
            n_clips=n_clips,
            n_declared=video.n_frames_declared,
            window=window,
            share=min_decoded_fraction,
        )
        weld_print = stats.fingerprint()
        first, last = stats.first_on, stats.last_on
        return Probe(
            problem=problem,
            n_bytes=n_bytes,
            sha256=sha256,
            width=video.width,
            height=video.height,
            fps=video.fps,
            n_frames=stats.n_frames,
            arc_start_s=None if first is None else first / video.fps,
            arc_on_s=None if first is None or last is None else (last - first + 1) / video.fps,
            mean_luma=float(np.mean(stats.mean_frame)) if stats.mean_frame is not None else None,
            scene=weld_print.scene if weld_print else None,
            flicker=weld_print.flicker if weld_print else None,
            thumbnail=stats.thumbnail(),
        )


def _problem(  # noqa: PLR0911 - one return a problem
    stats: "_FrameStatistics", broken: str | None, *, n_clips: int, n_declared: int, window: int, share: float
) -> str | None:
    if broken:
        return f"truncated: {broken}"
    if stats.n_frames == n_declared == 0:
        return "not_a_video: no frame decodes; is it a video file?"
    if stats.n_frames < share * n_declared:
        return (
            f"truncated: {stats.n_frames} of {n_declared} frames decode; copy it again from the recorder, "
            "or re-encode it to keep what is there"
        )
    if stats.resized_at is not None:
        return f"frame_size: the frames change their size at frame {stats.resized_at}; re-encode it at one size"
    if stats.n_on == 0:
        return "no_arc: the arc burns in no frame; check the exposure, or video_classifier.windows.gate"
    if n_clips == 0:
        return f"too_short: the arc burns for {stats.n_on} frames, too few for one clip of {window}; record longer"
    return None


class _FrameStatistics:
    """Statistics of the frames that have passed, in the memory of a few small images."""

    def __init__(self, gate: ArcGate, thumbnail_px: int) -> None:
        self._gate = gate
        self._thumbnail_px = thumbnail_px
        self.n_frames = 0
        self.n_on = 0
        self.first_on: int | None = None
        self.last_on: int | None = None
        self.resized_at: int | None = None
        self._shape: tuple[int, ...] | None = None
        self._lumas: list[float] = []
        self._luma_sum: Float[np.ndarray, "h w"] | None = None
        self._arc_frames, self._dark_frames = _Sampler(thumbnail_px), _Sampler(thumbnail_px)

    def watch(self, frames: Iterator[UInt8[np.ndarray, "H W 3"]]) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
        """Yield the frames unchanged and count them in."""
        for frame in frames:
            self._shape = self._shape or frame.shape
            if frame.shape != self._shape:
                self.resized_at = self.n_frames if self.resized_at is None else self.resized_at
            elif self._gate.is_on(frame):
                self._add_arc_frame(frame)
            elif self.n_on == 0:
                self._dark_frames.offer(frame)  # for the thumbnail of a recording without arc
            self.n_frames += 1
            yield frame

    def _add_arc_frame(self, frame: UInt8[np.ndarray, "H W 3"]) -> None:
        luma = frame[::_STEP, ::_STEP].astype(np.float32) @ REC601
        self._luma_sum = luma.astype(np.float64) if self._luma_sum is None else self._luma_sum + luma
        if len(self._lumas) <= MAX_FLICKER_BITS:
            self._lumas.append(float(luma.mean()))
        self.first_on = self.n_frames if self.first_on is None else self.first_on
        self.last_on = self.n_frames
        self.n_on += 1
        self._arc_frames.offer(frame)

    @property
    def mean_frame(self) -> Float[np.ndarray, "h w"] | None:
        """Return the mean luma image over the arc-on frames."""
        return None if self._luma_sum is None else self._luma_sum / self.n_on

    def fingerprint(self) -> Fingerprint | None:
        """Return the fingerprint, or None where no arc was seen."""
        return None if self.mean_frame is None else fingerprint(self.mean_frame, self._lumas)

    def thumbnail(self) -> str | None:
        """Return an image from the middle of the arc-on part as base64 JPEG; without arc, of the dark part."""
        sampler = self._arc_frames if self.n_on else self._dark_frames
        frame = sampler.middle()
        return None if frame is None else thumbnail(frame, width_px=self._thumbnail_px)


class _Sampler:
    """Sample of a few evenly spaced frames of a stream of unknown length."""

    def __init__(self, width_px: int) -> None:
        self._width_px = width_px
        self._step = 1
        self._n_offered = 0
        self._kept: list[UInt8[np.ndarray, "h w 3"]] = []

    def offer(self, frame: UInt8[np.ndarray, "H W 3"]) -> None:
        """Keep a coarse copy of every `step`-th frame; when too many are kept, drop every other and double the step."""
        if self._n_offered % self._step == 0:
            coarse = max(1, frame.shape[1] // (2 * self._width_px))  # twice as fine as the thumbnail
            self._kept.append(frame[::coarse, ::coarse].copy())
            if len(self._kept) > _MAX_THUMBNAILS:
                self._kept = self._kept[::2]
                self._step *= 2
        self._n_offered += 1

    def middle(self) -> UInt8[np.ndarray, "h w 3"] | None:
        """Return the brightest of the middle three: pulsed arcs are dark in every other frame."""
        middle = len(self._kept) // 2
        candidates = self._kept[max(middle - 1, 0) : middle + 2]
        return max(candidates, key=lambda frame: float(frame.mean()), default=None)


def thumbnail(image: UInt8[np.ndarray, "H W 3"], *, width_px: int) -> str:
    """Return an image at this width as base64 JPEG; one over twice as high as wide becomes narrower."""
    height, width = image.shape[:2]
    scale = min(width_px / width, 2 * width_px / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = Image.fromarray(image).resize(size, reducing_gap=2.0)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=80)
    return base64.b64encode(buffer.getvalue()).decode()


def _nothing(_: UInt8[np.ndarray, "H W 3"]) -> None:
    """Keep nothing of a frame: clips are only counted."""


def _without_path(error: WeldError, path: Path) -> str:
    # The manifest holds reasons, and no path of this machine.
    return str(error).removeprefix(f"video {path}: ")
