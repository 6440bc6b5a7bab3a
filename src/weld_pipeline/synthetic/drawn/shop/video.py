"""Drawn video: frames, and the .avi that holds them."""

import io
import zlib
from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
from jaxtyping import UInt8

from weld_pipeline.synthetic.drawn.files import PROVENANCE
from weld_pipeline.synthetic.drawn.shop.arc import draw_arc, draw_root, draw_wire, lit_scene
from weld_pipeline.synthetic.drawn.shop.defects import weld_motion
from weld_pipeline.synthetic.drawn.shop.moment import Moment, moments
from weld_pipeline.synthetic.drawn.shop.motion import Motion
from weld_pipeline.synthetic.drawn.shop.particles import Drops, draw_particles
from weld_pipeline.synthetic.drawn.shop.pool import Bubbles, draw_pool
from weld_pipeline.synthetic.drawn.shop.scene import Canvas, Scene, make_scene, sensor_noise
from weld_pipeline.synthetic.drawn.shop.welds import FPS, DrawnWeld

_BACKGROUND = 10
# Above this pulse phase the glare of the arc hides the tip of the wire; below it the wire stands before the pool.
_GLARE = 0.4
_BIT_RATE = 2_000_000  # the real recording has 1.35 Mbit/s
# One thread: slices, and with them the bytes, would differ with the number of cores. Sparks have no motion to search for.
_ENCODER = {"threads": "1", "flags": "+bitexact", "motion_est": "zero", "qmin": "4"}
_TO_VIDEO_RANGE = np.round(16 + np.arange(256) * 219 / 255).astype(np.uint8)


def weld_frames(weld: DrawnWeld) -> Iterator[UInt8[np.ndarray, "H W"]]:
    """Yield the grey frames of a recording: dark, the weld and its afterglow, dark."""
    rng = run_rng(weld, "video")
    size = (weld.width, weld.width * 5 // 8)
    dark = np.full(size[::-1], _BACKGROUND, np.uint8)
    for _ in range(round(weld.lead_in_s * FPS)):
        yield dark
    scene = make_scene(width=weld.width, joint=weld.joint, session_rng=_session_rng(weld), rng=rng)
    motion = weld_motion(
        weld.label,
        arc_s=weld.arc_s,
        fps=float(FPS),
        speed_cpm=float(weld.speed_cpm),
        thickness_mm=float(weld.thickness_mm),
        rng=rng,
    )
    n_burning, n_lead_out = int(motion.is_burning.sum()), round(weld.lead_out_s * FPS)
    images = _images(moments(scene, motion)[: n_burning + n_lead_out], motion, rng)
    n_drawn = 0
    for image in images:
        n_drawn += 1
        yield cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    for _ in range(n_burning + n_lead_out - n_drawn):
        yield dark


def _images(frames: list[Moment], motion: Motion, rng: np.random.Generator) -> Iterator[UInt8[np.ndarray, "H W"]]:
    """Yield the frames of a weld at half size."""
    drops, bubbles = Drops(np.zeros((0, 5))), Bubbles(np.zeros((0, 5)))
    for i, moment in enumerate(frames):
        bubbles.step(float(motion.bubbles[i]), rng)
        drops.step(float(motion.drops[i]), float(motion.drop_rise[i]), (moment.arc_x, moment.arc_y), rng)
        canvas = lit_scene(moment)
        draw_pool(canvas, moment, bubbles)
        draw_root(canvas, moment)
        if moment.level > _GLARE:
            draw_wire(canvas, moment)
        if moment.is_burning:
            draw_arc(canvas, moment, rng)
        if moment.level <= _GLARE:
            draw_wire(canvas, moment)
        image = _developed(canvas, moment.scene, rng)
        draw_particles(image, moment, drops, sparks=float(motion.sparks[i]), rng=rng)
        yield image


def _developed(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> UInt8[np.ndarray, "H W"]:
    """Return the canvas as the sensor sees it: clipped, with noise."""
    sheet, (h, w) = sensor_noise(), canvas.shape
    row, column = (int(rng.integers(0, limit)) for limit in (sheet.shape[0] - h, sheet.shape[1] - w))
    noisy = canvas + np.float32(scene.noise) * sheet[row : row + h, column : column + w]
    return np.clip(noisy, 0, 255).astype(np.uint8)


def encode_avi(frames: Iterator[UInt8[np.ndarray, "H W"]], *, width: int) -> bytes:
    """Return an AVI with MPEG-4 video, as the recorder of the data set writes it.

    Args:
        frames: Grey frames of `width` by 5/8 of it.
        width: Frame width [px], a multiple of 16.
    """
    height = width * 5 // 8
    file = io.BytesIO()
    with av.open(file, "w", format="avi", options={"fflags": "+bitexact"}) as container:
        container.metadata["comment"] = PROVENANCE
        stream = container.add_stream("mpeg4", rate=FPS, options=_ENCODER)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", _BIT_RATE
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        for index, frame in enumerate(frames):
            cv2.LUT(frame, _TO_VIDEO_RANGE, dst=planes[:height])
            image = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            image.pts, image.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return file.getvalue()


def draw_video(weld: DrawnWeld) -> bytes:
    """Return the .avi of a run."""
    return encode_avi(weld_frames(weld), width=weld.width)


def run_rng(weld: DrawnWeld, what: str) -> np.random.Generator:
    """Return the source of variation of one file of a run, the same on every machine and in any order."""
    return np.random.default_rng([weld.seed, zlib.crc32(weld.run_id.encode()), zlib.crc32(what.encode())])


def _session_rng(weld: DrawnWeld) -> np.random.Generator:
    return np.random.default_rng([weld.seed, zlib.crc32(weld.session.encode())])
