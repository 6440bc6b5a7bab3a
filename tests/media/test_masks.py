import numpy as np
import pytest
from PIL import Image

from weld_pipeline.media.masks import MaskError, read_marks, read_mask

MARKS = np.zeros((6, 9), dtype=bool)
MARKS[2:4, 5:8] = True


def images():
    """The same marks in each way a mask may be written."""
    grey = np.where(MARKS, 255, 0).astype(np.uint8)
    red = np.stack([grey, np.zeros_like(grey), np.zeros_like(grey)], axis=2)
    palette = Image.fromarray(MARKS.astype(np.uint8), mode="P")
    palette.putpalette([0, 0, 0, 128, 0, 0])
    return {
        "1 bit": Image.fromarray(MARKS),
        "8 bit": Image.fromarray(grey),
        "16 bit": Image.fromarray(grey.astype(np.uint16) * 257),
        "16 bit, 0 and 1": Image.fromarray(MARKS.astype(np.uint16)),
        "16 bit, 0 and 255": Image.fromarray(grey.astype(np.uint16)),
        "0 and 1": Image.fromarray(MARKS.astype(np.uint8)),
        "numbers of kinds": Image.fromarray(np.where(MARKS, 7, 0).astype(np.uint8)),
        "not strictly binary": Image.fromarray(np.where(MARKS, 128, 127).astype(np.uint8)),
        "colour": Image.fromarray(red),
        "palette": palette,
        "palette of kind 8, a dark colour": voc(8),
        "palette of kind 255": voc(255),
        **{
            f"level {level}": Image.fromarray(np.where(MARKS, level, 0).astype(np.uint8))
            for level in (32, 40, 64, 85, 100)
        },
        "two kinds": Image.fromarray(np.where(MARKS, np.where(np.arange(9) % 2, 85, 170), 0).astype(np.uint8)),
        "five kinds in steps": Image.fromarray(np.where(MARKS, 51 * (np.arange(9) % 5 + 1), 0).astype(np.uint8)),
        "16 bit, numbers of kinds": Image.fromarray(np.where(MARKS, 3, 0).astype(np.uint16)),
        "alpha": Image.fromarray(np.dstack([np.full((6, 9, 3), 255, np.uint8), grey])),
        "alpha on black": Image.fromarray(np.dstack([np.zeros((6, 9, 3), np.uint8), grey])),
        "colour, alpha 0": Image.fromarray(np.dstack([red, np.zeros((6, 9), np.uint8)])),
        "dark colour of a kind": Image.fromarray(np.stack([grey // 4, grey * 0, grey * 0], axis=2)),
    }


def voc(kind):
    """A mask in the colour table of PASCAL VOC, of which kind 8 is (64, 0, 0)."""
    image = Image.fromarray(np.where(MARKS, kind, 0).astype(np.uint8), mode="P")
    image.putpalette([128 * (k >> c & 1) + 64 * (k >> (3 + c) & 1) for k in range(256) for c in range(3)])
    return image


@pytest.mark.parametrize("kind", images())
def test_marks_are_read_from_every_kind_of_mask(tmp_path, kind):
    images()[kind].save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png", height=6, width=9), MARKS)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_black_mask_marks_nothing(tmp_path, dtype):
    Image.fromarray(np.zeros((6, 9), dtype=dtype)).save(tmp_path / "mask.png")
    assert not read_mask(tmp_path / "mask.png", height=6, width=9).any()


def test_dark_rim_of_a_bright_mark_is_not_marked(tmp_path):
    values = np.array([[0, 3, 90, 127, 128, 255]], dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "mask.png")
    assert read_marks(tmp_path / "mask.png").tolist() == [[False, False, False, False, True, True]]


def test_numbers_without_a_gap_are_instances_however_many(tmp_path):
    Image.fromarray(np.arange(100, dtype=np.uint8)[None]).save(tmp_path / "mask.png")
    assert read_marks(tmp_path / "mask.png").tolist() == [[False, *[True] * 99]]


@pytest.mark.parametrize("bright", [255, 100])
def test_lossy_mask_marks_what_is_above_half_of_white_or_of_its_own_brightest(tmp_path, bright):
    marks = np.zeros((48, 64), bool)
    marks[16:32, 24:40] = True
    Image.fromarray((marks * bright).astype(np.uint8)).save(tmp_path / "mask.jpg", quality=60)
    assert abs(int((read_marks(tmp_path / "mask.jpg") ^ marks).sum())) == 0
    Image.fromarray((marks * 9).astype(np.uint8)).save(tmp_path / "mask.jpg", quality=60)  # what noise leaves
    assert not read_marks(tmp_path / "mask.jpg").any()


@pytest.mark.parametrize("ramp", [range(0, 256, 3), range(0, 127, 2)])
def test_grey_palette_fades_as_grey_does(tmp_path, ramp):
    values = np.array([ramp], np.uint8)
    image = Image.fromarray(np.arange(values.size, dtype=np.uint8)[None], mode="P")
    image.putpalette([int(v) for v in values[0] for _ in range(3)])
    image.save(tmp_path / "palette.png")
    Image.fromarray(values).save(tmp_path / "grey.png")
    marks = read_marks(tmp_path / "grey.png")
    assert 0 < marks.sum() < values.size / 1.5
    np.testing.assert_array_equal(read_marks(tmp_path / "palette.png"), marks)


def test_mask_of_another_size_is_told_with_both_sizes(tmp_path):
    Image.fromarray(MARKS).save(tmp_path / "mask.png")
    with pytest.raises(MaskError, match="the mask is 9×6 px, its image 6×9 px") as raised:
        read_mask(tmp_path / "mask.png", height=9, width=6)
    assert raised.value.code == "mask_size"


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_mask_that_cannot_be_read_is_told(tmp_path, content):
    (tmp_path / "mask.png").write_bytes(content)
    with pytest.raises(MaskError, match="the mask cannot be read: ") as raised:
        read_marks(tmp_path / "mask.png")
    assert raised.value.code == "bad_mask"
    assert str(tmp_path) not in raised.value.what  # it becomes a reason in a manifest


def test_mask_that_is_not_there_is_told(tmp_path):
    with pytest.raises(MaskError, match="no such file"):
        read_marks(tmp_path / "mask.png")


def test_real_masks_fit_their_images(real_data):
    for mask in sorted((real_data / "magnetic_tile/MT_Crack/Imgs").glob("*.png")):
        with Image.open(mask.with_suffix(".jpg")) as image:
            assert read_mask(mask, height=image.height, width=image.width).any()


def test_real_masks_of_films_are_of_one_bit(real_data):
    # Counted with Pillow's histogram of the file.
    mask = real_data / "gdxray_welds/labels/W0002_0003.png"
    with Image.open(mask) as image:
        assert image.mode == "1"
        n_white = image.histogram()[255]
        assert read_mask(mask, height=image.height, width=image.width).sum() == n_white > 0
