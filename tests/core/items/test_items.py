import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.items.pending import Execution, Item, PendingItems
from weld_pipeline.core.stores import JsonStore, TensorStore


def double(value):
    return {"value": 2 * value, "pid": os.getpid()}


def make_double():
    return double


def refuse_three():
    def work(value):
        if value == 3:
            raise WeldError("item 3: no")
        return value

    return work


def pending(values, *, key="k", factory=make_double, n_workers=1):
    items = [Item(id=f"run/{v}", key=f"{key}{v}", payload=v) for v in values]
    return PendingItems(factory, items, "doubling", Execution(n_workers=n_workers))


def test_only_missing_items_are_worked_on(tmp_path):
    store = JsonStore(tmp_path)
    assert map_items(pending(range(3)), store).n_done == 3
    report = map_items(pending(range(5)), store)
    assert (report.n_done, report.n_kept) == (2, 3)


def test_item_whose_key_changed_is_done_again(tmp_path):
    store = JsonStore(tmp_path)
    map_items(pending([1], key="old"), store)
    assert map_items(pending([1], key="new"), store).n_done == 1


def test_items_before_a_failing_one_are_kept(tmp_path):
    store = JsonStore(tmp_path)
    with pytest.raises(WeldError, match="item 3"):
        map_items(pending(range(5), factory=refuse_three), store)
    assert [store.key_of(f"run/{v}") for v in range(5)] == ["k0", "k1", "k2", None, None]


def threads_of_torch():
    def work(value):
        import torch

        return {"value": value, "n_threads": torch.get_num_threads(), "pid": os.getpid()}

    return work


def test_workers_of_a_pool_have_one_thread_and_the_calling_process_keeps_its_own(tmp_path):
    import torch

    before, store = torch.get_num_threads(), JsonStore(tmp_path)
    map_items(pending(range(2), factory=threads_of_torch, n_workers=2), store)
    store.commit({f"run/{v}": f"k{v}" for v in range(2)})
    assert {store[name]["n_threads"] for name in store} == {1}
    map_items(pending(range(3), factory=threads_of_torch, n_workers=2), store)  # one is missing: no pool is started
    assert store.read("run/2") == {"value": 2, "n_threads": before, "pid": os.getpid()}
    assert torch.get_num_threads() == before


def test_pool_gives_the_same_as_one_process(tmp_path):
    one, many = JsonStore(tmp_path / "one"), JsonStore(tmp_path / "many")
    map_items(pending(range(20)), one)
    map_items(pending(range(20), n_workers=2), many)
    ids = [f"run/{v}" for v in range(20)]
    assert [many.read(i)["value"] for i in ids] == [one.read(i)["value"] for i in ids]
    assert os.getpid() not in {many.read(i)["pid"] for i in ids}


def test_no_worker_is_built_when_all_is_done(tmp_path):
    store = JsonStore(tmp_path)
    map_items(pending([1]), store)

    def explode():
        raise AssertionError

    assert map_items(pending([1], factory=explode), store).n_done == 0


def test_set_is_there_only_after_commit_and_lists_only_its_own(tmp_path):
    store = JsonStore(tmp_path)
    map_items(pending([1, 2, 3]), store)
    with pytest.raises(WeldError, match="no finished set"):
        list(store)
    store.commit({"run/3": "k3", "run/1": "k1"})
    assert list(store) == ["run/3", "run/1"]
    assert "run/2" not in store


def test_item_of_another_key_than_the_set_was_completed_with_is_refused(tmp_path):
    store = JsonStore(tmp_path)
    store.write("a", "old", 1)
    store.commit({"a": "old"})
    assert store["a"] == 1
    store.write("a", "new", 2)
    with pytest.raises(WeldError, match="not of this set"):
        store["a"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"garbage" * 50])
@pytest.mark.parametrize("kind", [JsonStore, TensorStore])
def test_broken_file_counts_as_missing(tmp_path, kind, content):
    store = kind(tmp_path)
    store.path("a").write_bytes(content)
    assert store.key_of("a") is None


def test_tensors_come_back_as_written(tmp_path):
    store = TensorStore(tmp_path)
    value = {"embedding": np.arange(6, dtype=np.float32).reshape(2, 3), "start": np.array([0, 8])}
    store.write("cfg/run", "key", value)
    assert store.key_of("cfg/run") == "key"
    np.testing.assert_array_equal(store.read("cfg/run")["embedding"], value["embedding"])
    np.testing.assert_array_equal(store.read("cfg/run")["start"], value["start"])


def test_truncated_tensor_file_counts_as_missing(tmp_path):
    store = TensorStore(tmp_path)
    store.write("a", "key", {"x": np.zeros(1000)})
    whole = store.path("a").read_bytes()
    store.path("a").write_bytes(whole[: len(whole) // 2])
    assert store.key_of("a") is None


def test_id_that_leaves_the_folder_is_refused(tmp_path):
    with pytest.raises(WeldError, match="leaves its folder"):
        JsonStore(tmp_path / "store").write("../../x", "k", 1)


KILLED = """
import os, sys
from pathlib import Path
from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.items.pending import Item, PendingItems
from weld_pipeline.core.stores import JsonStore

def factory():
    def work(v):
        if v == 3 and sys.argv[2] == "die":
            os.kill(os.getpid(), 9)
        return v * v
    return work

items = [Item(str(v), f"k{v}", v) for v in range(6)]
report = map_items(PendingItems(factory, items, "squares"), JsonStore(Path(sys.argv[1])))
print(report.n_done, report.n_kept)
"""


def test_killed_run_resumes_and_ends_in_the_same_bytes(tmp_path):
    def run(folder, mode):
        return subprocess.run([sys.executable, "-c", KILLED, folder, mode], capture_output=True, text=True, check=False)

    assert run(tmp_path / "killed", "die").returncode == -signal.SIGKILL
    assert run(tmp_path / "killed", "live").stdout.split() == ["3", "3"]
    run(tmp_path / "whole", "live")
    names = sorted(p.name for p in (tmp_path / "whole").iterdir())
    assert sorted(p.name for p in (tmp_path / "killed").iterdir()) == names
    for name in names:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_one_row_of_one_array_is_read_alone_and_only_of_its_own_set(tmp_path):
    store = TensorStore(tmp_path)
    rows = np.arange(12).reshape(3, 4)
    store.write("run/1", "k", {"rows": rows, "score": np.float32(0.5)})
    store.commit({"run/1": "k", "run/2": "k"})
    assert store.part("run/1", "rows", 2).tolist() == [8, 9, 10, 11]
    assert store.part("run/1", "rows").tolist() == rows.tolist()
    assert store.part("run/1", "score").item() == 0.5
    with pytest.raises(KeyError):
        store.part("run/3", "rows")
    with pytest.raises(WeldError, match=r"2\.safetensors is missing or not of this set"):
        store.part("run/2", "rows")
