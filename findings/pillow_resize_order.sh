#!/usr/bin/env bash
# Pillow 13 resizes tall images to other pixels than Pillow 12: it takes columns before rows where that is less work.
#
# Expected: `Image.resize` with BILINEAR, 8-bit fixed-point arithmetic, gives the same pixels in every version; the order of the
# two passes is no part of its interface. Seen with pillow 12.2.0 and 13.0.0: of a wide image the pixels are equal; of a tall
# one some differ by 1, because each pass rounds to whole pixel values. Resizing the width and then the height in two calls
# gives equal pixels in both versions. So whoever pins preprocessing to "Pillow's bilinear" must pin the order, too.
# Fails if the versions agree on tall images, or differ elsewhere.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/resize.py" <<'PY'
import sys

import numpy as np
import PIL
from PIL import Image

BILINEAR = Image.Resampling.BILINEAR
noise = np.random.default_rng(0)
tall = Image.fromarray(noise.integers(0, 256, (300, 100, 3), dtype=np.uint8))
wide = Image.fromarray(noise.integers(0, 256, (100, 300, 3), dtype=np.uint8))
np.savez(
    sys.argv[1],
    tall=np.asarray(tall.resize((64, 64), BILINEAR)),
    wide=np.asarray(wide.resize((64, 64), BILINEAR)),
    tall_in_two_calls=np.asarray(tall.resize((64, 300), BILINEAR).resize((64, 64), BILINEAR)),
)
print("pillow", PIL.__version__)
PY
for version in 12.2.0 13.0.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "pillow==$version" "numpy==2.2.6"
    "$folder/$version/bin/python" "$folder/resize.py" "$folder/$version.npz"
done
"$folder/13.0.0/bin/python" - "$folder" <<'PY'
import sys

import numpy as np

old, new = (np.load(f"{sys.argv[1]}/{version}.npz") for version in ("12.2.0", "13.0.0"))
for name in old.files:
    apart = np.abs(old[name].astype(int) - new[name])
    print(f"{name}: {np.count_nonzero(apart)} of {apart.size} values differ, by at most {apart.max()}")
    assert (apart.max() == 1) == (name == "tall"), name
PY
