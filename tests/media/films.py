"""Small recordings in the containers and codecs that recorders write: dark, arc at the top left, dark."""

import struct
from fractions import Fraction

import av
import numpy as np

SIZE = (96, 64)
# Name: codec, pixel format, options of the container.
KINDS = {
    "mjpeg.avi": ("mjpeg", "yuvj420p", {}),
    "mpeg4.avi": ("mpeg4", "yuv420p", {}),
    "h264.avi": ("libx264", "yuv420p", {}),
    "h264.mp4": ("libx264", "yuv420p", {}),
    "fast.mp4": ("libx264", "yuv420p", {"movflags": "faststart"}),
    "fragments.mp4": ("libx264", "yuv420p", {"movflags": "frag_keyframe+empty_moov"}),
    "mjpeg.mov": ("mjpeg", "yuvj420p", {"movflags": "faststart"}),
    "h264.mkv": ("libx264", "yuv420p", {}),
    "live.mkv": ("libx264", "yuv420p", {"live": "1"}),
    "vp8.ogv": ("libvpx", "yuv420p", {}),
    "vp8.webm": ("libvpx", "yuv420p", {}),
    "mpeg2.ts": ("mpeg2video", "yuv420p", {}),
    "h264.m2ts": ("libx264", "yuv420p", {"mpegts_m2ts_mode": "1"}),
    "mpeg1.mpg": ("mpeg1video", "yuv420p", {}),
    "wmv2.wmv": ("wmv2", "yuv420p", {}),
    "flv1.flv": ("flv1", "yuv420p", {}),
    "raw.h264": ("libx264", "yuv420p", {}),
    "raw.mjpeg": ("mjpeg", "yuvj420p", {}),
    "mpeg2.mxf": ("mpeg2video", "yuv420p", {}),
}


def image(index, *, lead=5, arc=30, seed=0):
    """Return the frame of this number: grain, and a lit corner while the arc burns."""
    pixels = np.random.default_rng([seed, index]).integers(8, 24, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    if lead <= index < lead + arc:
        pixels[8:20, 8:30] = 250
    return pixels


def record(path, kind="mpeg4.avi", *, n_frames=40, rate=25, ticks=None, tick=Fraction(1, 1000), gop=12, **arc):
    """Return the path of a new recording.

    Args:
        kind: One of `KINDS`; the path's suffix tells the container.
        ticks: Time stamp of each frame in units of `tick`; None for one a frame at the rate.
    """
    codec, pixel_format, options = KINDS[kind]
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *SIZE, pixel_format
        stream.codec_context.gop_size = gop
        if codec == "mjpeg":
            stream.codec_context.qmin = stream.codec_context.qmax = 3
        if ticks is not None:
            stream.codec_context.time_base = tick
        for index in range(n_frames if ticks is None else len(ticks)):
            frame = av.VideoFrame.from_ndarray(image(index, **arc), format="rgb24").reformat(format=pixel_format)
            if ticks is not None:
                frame.pts, frame.time_base = ticks[index], tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def copied(source, path, *, first=0, shift_frames=0):
    """Return a copy without new encoding whose frames before `shift_frames` an edit list hides (MP4)."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        track = old.streams.video[0]
        stream = new.add_stream_from_template(track)
        ticks = round(shift_frames / track.average_rate / track.time_base)
        for index, packet in enumerate(old.demux(track)):
            if packet.dts is not None and index >= first:
                packet.pts, packet.dts, packet.stream = packet.pts - ticks, packet.dts - ticks, stream
                new.mux(packet)
    return path


def with_display_matrix(path, matrix):
    """Return an MP4 whose track header says how frames are to be seen.

    Args:
        matrix: a, b, c, d of its two by two part.
    """
    content = bytearray(path.read_bytes())
    a, b, c, d = (int(value * 65536) for value in matrix)
    at = content.index(b"tkhd") + 4 + 40  # behind version, times, id, duration, layer, volume
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path
