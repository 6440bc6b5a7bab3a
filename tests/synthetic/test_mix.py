"""How many synthetic images join the real ones."""

import pandas as pd
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.synthetic.mix import check_synthetic, mix_synthetic

REAL, SYNTHETIC = [f"r{index}" for index in range(4)], [f"s{index}" for index in range(30)]


def test_ratio_is_synthetic_to_one_real():
    mixed = mix_synthetic(REAL, SYNTHETIC, ratio=3.0, seed=0)
    assert mixed[:4] == REAL
    assert len(mixed) == 4 + 12
    assert set(mixed[4:]) <= set(SYNTHETIC)
    assert len(set(mixed)) == 16


def test_draw_depends_on_the_seed_alone():
    assert mix_synthetic(REAL, SYNTHETIC, ratio=2.0, seed=1) == mix_synthetic(REAL, SYNTHETIC, ratio=2.0, seed=1)
    assert mix_synthetic(REAL, SYNTHETIC, ratio=2.0, seed=1) != mix_synthetic(REAL, SYNTHETIC, ratio=2.0, seed=2)


def test_a_shortage_takes_all_and_is_warned_of(caplog):
    assert mix_synthetic(REAL, [], ratio=3.0, seed=0) == REAL
    assert not caplog.text
    assert len(mix_synthetic(REAL, SYNTHETIC[:5], ratio=3.0, seed=0)) == 9
    assert "12 synthetic images are asked for, 5 are there" in caplog.text


def test_synthetic_images_outside_train_are_refused():
    rows = pd.DataFrame({"sample_id": ["s0", "s1"], "split": ["train", "test"]})
    check_synthetic(rows[:1])
    with pytest.raises(WeldError, match=r"1 synthetic image.* claim another split than train, the first s1 'test'"):
        check_synthetic(rows)
