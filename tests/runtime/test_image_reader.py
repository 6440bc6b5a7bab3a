import hashlib

import numpy as np
import pytest

from tests.media.handmade import SEEN, png16, scaled
from weld_pipeline.core.errors import WeldError
from weld_pipeline.runtime import image_reader
from weld_pipeline.runtime.image_reader import ImageBytes, Preparation, read, read_ahead


def as_it_is(**options):
    return Preparation(lambda image: image[None], keeps_pixels=True, **options)


def test_hash_is_of_the_very_bytes_that_are_decoded(tmp_path, monkeypatch):
    first, second = (png16(values, colour_type=0) for values in (scaled(65535), 65535 - scaled(65535)))
    path = tmp_path / "weld.png"
    path.write_bytes(first)
    load = image_reader.read_content

    def read_and_replace(*arguments, **options):
        content = load(*arguments, **options)
        path.write_bytes(second)  # as a camera that writes its next image under the same name
        return content

    monkeypatch.setattr(image_reader, "read_content", read_and_replace)
    found = read(path, as_it_is())
    assert found.sha256 == hashlib.sha256(first).hexdigest()
    np.testing.assert_array_equal(found.pixels[..., 0], SEEN)


def test_stated_bits_and_limit_hold_for_files_and_bytes_alike(tmp_path):
    content = png16(scaled(4095), colour_type=0)
    (tmp_path / "weld.png").write_bytes(content)
    for source in (tmp_path / "weld.png", ImageBytes("stdin", content)):
        assert "low_values" in read(source, as_it_is()).warnings[0]
        stated = read(source, as_it_is(sample_bits=12))
        assert (stated.warnings, stated.hash_s >= 0) == ((), True)
        assert np.abs(stated.pixels[..., 0].astype(int) - SEEN).max() <= 1
        with pytest.raises(WeldError, match="12×6 px are more than the 71 allowed"):
            read(source, as_it_is(max_pixels=71))
        ((entry,),) = read_ahead([source], as_it_is(max_pixels=71))
        assert "more than the 71 allowed" in entry.error
