"""Photo and video series: names that show which images belong together."""

import re
from pathlib import PurePosixPath

# Roboflow adds the old suffix, `.rf.` and a hash to what it exports; Label Studio puts a hash or two before.
_EXPORT_HASH = re.compile(r"\.rf\.[0-9a-fA-F]{6,}$")
_OLD_SUFFIX = re.compile(r"_(?:jpe?g|png|bmp|tiff?|webp|gif)$", re.IGNORECASE)
_UPLOAD_HASH = re.compile(r"^(?:[0-9a-f]{8}-[0-9a-f]{8}|(?=\d*[a-f])[0-9a-f]{8})-(?=.)")  # 20220609- is a date
# A phone's `IMG20220609081234`, a `Screenshot-2022-12-05-223834`: the day is the series.
_DAY_AND_TIME = re.compile(r"^(.*\d{4}-?\d{2}-?\d{2})[-_ ]?\d{6}$")
_COUNTER = re.compile(r"^(.+?)[-_ ]+\(?\d+\)?$|^(.*[^\W\d_])\d+$")


def series_of(path: str) -> str:
    """Return the video or photo series of an image, by its name alone.

    The additions of exporting tools are removed first: Roboflow's `.rf.<hash>` and old suffixes, Label Studio's leading
    hashes. So copies that such a tool augmented stay with their original. Then one trailing number is removed, of the frame
    or the photo, or the time of day after a date. A name that is only a number is its own series.

    Series are rather too few than too many: photos of one web search (`good-tig-welds_8`) count as one series, and so do
    two uploads of one name. That costs balance, not honesty.

    >>> series_of("train/images/SampleV1_1_mp4-10_jpg.rf.adcf08ccf90be91b37c40438616fa050.jpg")
    'SampleV1_1_mp4'
    >>> series_of("good_weld_vid108_jpeg_jpg.rf.0123456789abcdef0123456789abcdef.jpg")
    'good_weld_vid'
    >>> series_of("32522582-017a05a4-c16_png_jpg.rf.0123456789abcdef0123456789abcdef.jpg")
    'c'
    >>> series_of("IMG20220609081234_jpg.rf.0123456789abcdef0123456789abcdef.jpg")
    'IMG20220609'
    """
    name = _EXPORT_HASH.sub("", PurePosixPath(path).stem)
    while (shorter := _OLD_SUFFIX.sub("", name)) not in ("", name):
        name = shorter
    name = _UPLOAD_HASH.sub("", name)
    match = _DAY_AND_TIME.match(name) or _COUNTER.match(name)
    return match.group(match.lastindex or 0) if match else name
