"""Video probe: size, arc, brightness and fingerprint of a recording in one pass, or why it cannot be used."""

import base64
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from weld_pipeline.core.files import sha256_file
from weld_pipeline.core.shapes import Float, UInt8
from weld_pipeline.media.clips import ArcGate, arc_clips
from weld_pipeline.media.decode import Video
from weld_pipeline.media.fingerprints import MAX_FLICKER_BITS, Fingerprint, fingerprint
from weld_pipeline.media.image_errors import MAX_PIXELS
from weld_pipeline.media.recordings.containers import VideoError
from weld_pipeline.media.recordings.timing import TimedFrame

# Raise it when the same file would give another probe; stored probes are then computed again.
PROBE_VERSION = 2
_STEP = 4  # every fourth pixel each way, as the arc gate sees it
REC601 = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_MAX_THUMBNAILS = 16


@dataclass(frozen=True)
class Probe:
    """The result of decoding a recording or an image once; all fields are JSON values.

    An image has one frame, and neither frame rate nor arc.

    Attributes:
        problem: Problem as `code: what is wrong; what to do`, or None if it can be used. Codes: empty, unreadable,
            truncated, damaged, unsupported, too_large; of a recording not_a_video, frame_size, no_arc, too_short; of an image
            not_an_image, several_images, sample_bits, bad_mask, mask_size.
        sha256: Hash of its bytes; None if they cannot be read.
        width: Width of the upright frames [px].
        height: Height of the upright frames [px].
        fps: Typical frame rate: 1 / median interval of the time stamps [1/s].
        n_frames: Frames decoded, whatever the header claims.
        duration_s: Time from the first frame to the end of the last one [s].
        arc_start_s: Time of the first arc-on frame [s].
        arc_on_s: Time from the first to the last arc-on frame [s].
        mean_luma: Mean Rec. 601 luma over the arc-on frames, or over the image [0..255].
        scene: Scene of `Fingerprint`; of an image, `image_scene`.
        flicker: Flicker of `Fingerprint`.
        thumbnail: A frame from the middle of the weld, or the image, as base64 JPEG.
        mask_px: Pixels that the image's mask marks; None if it has no mask.
        sample_bits: Bits that samples of 16-bit images were stated to have; None: none were.
        warnings: What is doubtful about it though it can be used, each as `code: what; what to do`.
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
    duration_s: float | None = None
    sample_bits: int | None = None
    warnings: Sequence[str] = ()

    @property
    def fingerprint(self) -> Fingerprint | None:
        """Return the fingerprint of the recording, or None where no arc was seen."""
        return Fingerprint(self.scene, self.flicker) if self.scene and self.flicker is not None else None


def probe_video(
    path: Path,
    *,
    gate: ArcGate,
    window: int,
    stride: int,
    min_decoded_fraction: float,
    thumbnail_px: int,
    max_pixels: int = MAX_PIXELS,
) -> Probe:
    """Return what a recording holds, or why it cannot be used; a bad file is a result, not an error.

    The clips counted are those training will see, by the same code.

    Args:
        path: The file; it must exist.
        window: Clip length in frames.
        stride: Distance between clip starts in frames.
        min_decoded_fraction: Share of the length the header claims that must decode [0..1].
        thumbnail_px: Width of the thumbnail.
        max_pixels: Largest frame that is decoded [px].
    """
    n_bytes = path.stat().st_size
    if n_bytes == 0:
        return Probe("empty: the file has 0 bytes; copy it again from the recorder", n_bytes)
    if not os.access(path, os.R_OK):
        return Probe("unreadable: no permission to read the file; grant it", n_bytes)
    sha256 = sha256_file(path)
    stats = _FrameStatistics(gate, thumbnail_px)
    try:
        with Video(path, max_pixels=max_pixels) as video:
            problem = _watched(video, stats, window=window, stride=stride, share=min_decoded_fraction)
            return _probe(video, stats, problem, n_bytes=n_bytes, sha256=sha256)
    except VideoError as error:
        return Probe(_reason(error), n_bytes, sha256)


def _watched(video: Video, stats: "_FrameStatistics", *, window: int, stride: int, share: float) -> str | None:
    """Return what is wrong with a video once all its frames were watched, or None."""
    try:
        clips = arc_clips(
            stats.watch(video.frames()), gate=stats.gate, window=window, stride=stride, transform=_nothing
        )
        n_clips = sum(1 for _ in clips)
        video.check_complete(share)
    except VideoError as error:
        return _reason(error)
    if stats.n_on == 0:
        return "no_arc: the arc burns in no frame; check the exposure, or video_classifier.windows.gate"
    if n_clips == 0:
        return f"too_short: the arc burns for {stats.n_on} frames, too few for one clip of {window}; record longer"
    return None


def _probe(video: Video, stats: "_FrameStatistics", problem: str | None, *, n_bytes: int, sha256: str) -> Probe:
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
        duration_s=video.duration_s,
        arc_start_s=None if first is None else first.time_s,
        arc_on_s=None if first is None or last is None else last.end_s - first.time_s,
        mean_luma=float(np.mean(stats.mean_frame)) if stats.mean_frame is not None else None,
        scene=weld_print.scene if weld_print else None,
        flicker=weld_print.flicker if weld_print else None,
        thumbnail=stats.thumbnail(),
        warnings=video.warnings,
    )


class _FrameStatistics:
    """Statistics of the frames that have passed, in the memory of a few small images."""

    def __init__(self, gate: ArcGate, thumbnail_px: int) -> None:
        self.gate = gate
        self._thumbnail_px = thumbnail_px
        self.n_frames = 0
        self.n_on = 0
        self.first_on: TimedFrame | None = None
        self.last_on: TimedFrame | None = None
        self._lumas: list[float] = []
        self._luma_sum: Float[np.ndarray, "h w"] | None = None
        self._arc_frames, self._dark_frames = _Sampler(thumbnail_px), _Sampler(thumbnail_px)

    def watch(self, frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
        """Yield the frames unchanged and count them in."""
        for frame in frames:
            if self.gate.is_on(frame.image):
                self.first_on = self.first_on or frame
                self.last_on = frame
                self._add_arc_frame(frame.image)
            elif self.n_on == 0:
                self._dark_frames.offer(frame.image)  # for the thumbnail of a recording without arc
            self.n_frames += 1
            yield frame

    def _add_arc_frame(self, frame: UInt8[np.ndarray, "H W 3"]) -> None:
        luma = frame[::_STEP, ::_STEP].astype(np.float32) @ REC601
        self._luma_sum = luma.astype(np.float64) if self._luma_sum is None else self._luma_sum + luma
        if len(self._lumas) <= MAX_FLICKER_BITS:
            self._lumas.append(float(luma.mean()))
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


def _reason(error: VideoError) -> str:
    # The manifest holds reasons, and no path of this machine.
    return f"{error.code}: {error.what}"
