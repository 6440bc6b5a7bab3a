import json

import pytest
from kedro.io import DatasetError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.items.pending import Item, PendingItems
from weld_pipeline.datasets.item_store import ItemStoreDataset


def squares(values, *, factory=None):
    items = [Item(id=str(v), key=f"k{v}", payload=v) for v in values]
    return PendingItems(factory or (lambda: lambda v: v * v), items, "squares")


@pytest.fixture
def dataset(tmp_path):
    return ItemStoreDataset(filepath=str(tmp_path / "store"), kind="json")


def test_saved_items_are_read_one_by_one(dataset):
    dataset.save(squares([1, 2, 3]))
    store = dataset.load()
    assert {item_id: store[item_id] for item_id in store} == {"1": 1, "2": 4, "3": 9}


def test_set_exists_only_when_all_its_items_are_there(dataset):
    def fail_at_two():
        def work(v):
            if v == 2:
                raise WeldError("item 2: no")
            return v

        return work

    with pytest.raises(DatasetError) as caught:
        dataset.save(squares([1, 2], factory=fail_at_two))
    assert isinstance(caught.value.__cause__, WeldError)
    assert not dataset.exists()


def test_smaller_set_hides_items_of_a_larger_one(dataset):
    dataset.save(squares([1, 2, 3]))
    dataset.save(squares([2]))
    assert list(dataset.load()) == ["2"]


def test_preview_counts_the_items(dataset):
    dataset.save(squares([1, 2, 3]))
    assert json.loads(dataset.preview())["n_items"] == 3


def test_unknown_kind_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="'pickle' is none of"):
        ItemStoreDataset(filepath=str(tmp_path), kind="pickle")
