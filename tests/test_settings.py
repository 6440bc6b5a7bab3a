"""Settings: what must be so before a run loads torch."""

import os
import subprocess
import sys

import pytest

SCRIPT = "import os, sys, weld_pipeline.settings; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"


@pytest.mark.parametrize(("chosen", "found"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_idle_threads_of_torch_sleep_unless_somebody_chose_otherwise(chosen, found):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | chosen
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [found, "False"]  # torch reads it when it is loaded
