"""Batches of a training: every row once an epoch, or every class equally often."""

import numpy as np

from weld_pipeline.nn.training.batches import EpochShuffle


def test_every_row_is_seen_once_an_epoch_in_an_order_of_its_own():
    sampler = EpochShuffle(23, batch_size=5, seed=0)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert [len(batch) for batch in batches] == [5, 5, 5, 4, 4]
        orders.append([row for batch in batches for row in batch])
    assert sorted(orders[0]) == list(range(23))
    assert orders[0] == orders[2] != orders[1]


def test_balanced_epoch_holds_as_many_rows_of_every_class():
    """Twelve rows of three classes, one of them rare: four of each an epoch, the rare one twice over."""
    labels = np.array([0] * 7 + [1] * 3 + [2] * 2)
    sampler = EpochShuffle(12, batch_size=5, seed=0, balanced=labels)
    rows = [row for batch in sampler for row in batch]
    assert np.bincount(labels[rows]).tolist() == [4, 4, 4]
    assert sorted(np.bincount(rows, minlength=12)[10:]) == [2, 2]
    assert len({row for row in rows if labels[row] == 0}) == 4
    again = [row for batch in sampler for row in batch]
    sampler.set_epoch(1)
    assert rows == again != [row for batch in sampler for row in batch]
