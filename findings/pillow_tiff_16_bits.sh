#!/usr/bin/env bash
# Pillow 13 reads 16-bit TIFF against the file's own tags: white-is-zero as its negative, planar RGB as other pixels.
#
# Expected: PhotometricInterpretation 0 (white is zero) is honoured at 16 bits as at 8, and PlanarConfiguration 2 (one colour
# behind the other) gives the same image as 1. Seen with pillow 13.0.0: at 8 bits white-is-zero is inverted, at 16 bits it is not,
# and nothing tells the caller which one was read. Of planar 16-bit RGB the low and high bytes of each sample become pixels
# beside each other, so half of the width is shown twice as wide; chunky RGB of the same values is right. No error, no warning.
# Fails if Pillow inverts 16-bit white-is-zero, or reads planar as chunky.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check "pillow==13.0.0" "numpy==2.2.6" "tifffile==2025.5.10"
"$folder/env/bin/python" - <<'PY'
import io

import numpy as np
import PIL
import tifffile
from PIL import Image


def seen(values, **tags):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **tags)
    return np.asarray(Image.open(buffer))


print("pillow", PIL.__version__)
deep = np.array([[0, 16384, 65535]], np.uint16)
for name, values in (("8 bits", (deep >> 8).astype(np.uint8)), ("16 bits", deep)):
    black, white = (seen(values, photometric=kind)[0].tolist() for kind in ("minisblack", "miniswhite"))
    print(f"{name}: black is zero {black}, white is zero {white}")
    assert (black == white) == (name == "16 bits")

colour = np.full((2, 4, 3), (0x1234, 0x5678, 0x9ABC), np.uint16)
chunky = seen(colour, photometric="rgb")[0]
planar = seen(np.moveaxis(colour, 2, 0), photometric="rgb", planarconfig="separate")[0]
print(f"chunky: {chunky.tolist()}\nplanar: {planar.tolist()}")
assert (chunky == (0x12, 0x56, 0x9A)).all()
assert {tuple(pixel) for pixel in planar.tolist()} == {(0x12, 0x56, 0x9A), (0x34, 0x78, 0xBC)}
PY
