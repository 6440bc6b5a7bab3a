"""Runner in threads: networks one by one, everything else beside each other."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from weld_pipeline.runners import ThreadRunner


@pytest.mark.parametrize(("tag", "most"), [("training", 1), ("evaluation", 2)])
def test_steps_that_run_networks_take_turns(tag, most):
    inside, seen, both = set(), [], threading.Barrier(2)

    def work():
        inside.add(threading.get_ident())
        try:
            both.wait(timeout=0.3)  # both are here at once, or it breaks
        except threading.BrokenBarrierError:
            both.reset()
        seen.append(len(inside))
        inside.discard(threading.get_ident())
        return 1

    nodes = [Node(work, None, name, name=name, tags={tag}) for name in ("one", "other")]
    ThreadRunner().run(Pipeline(nodes), DataCatalog())
    assert max(seen) == most
    assert len(seen) == 2


def test_turn_is_passed_on_when_a_step_fails():
    def fail():
        raise ValueError("the training went wrong")

    nodes = [Node(fail, None, f"out_{number}", name=f"node_{number}", tags={"training"}) for number in range(3)]
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(ThreadRunner().run, Pipeline(nodes), DataCatalog())
        with pytest.raises(ValueError, match="the training went wrong"):
            done.result(timeout=30)
