#!/usr/bin/env bash
# Frames of an AVI with B-frames bear time stamps that run backward.
#
# Expected: frames come in the order they are shown, so their time stamps rise. Seen with PyAV 18.1.0 (FFmpeg 8.1): AVI has no time
# stamps but the order of its packets, and what the library gives for twelve frames of H.264 is 1, 2, 3, 4, 5, 7, 6, 8 and on. The same in
# MP4 rise. Whoever reads times from AVI must count packets, not ask the frames.
# Fails if the time stamps of the AVI rise, or those of the MP4 do not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "av==18.1.0" "numpy==2.2.6"
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import av
import numpy as np


def stamps(path):
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for index in range(12):
            image = np.full((64, 64, 3), 20 * index, np.uint8)
            image[:, 4 * index : 4 * index + 8] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    with av.open(path) as container:
        return [frame.pts for frame in container.decode(video=0)]


avi, mp4 = stamps("film.avi"), stamps("film.mp4")
print(f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}: avi {avi}, mp4 {mp4}")
rises = [all(a < b for a, b in zip(each, each[1:])) for each in (avi, mp4)]
assert rises == [False, True], rises
PY
