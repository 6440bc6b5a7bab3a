"""The command lines: `weld`, for what is done outside a Kedro run, and what Kedro's own takes from this project."""

import os

import lazy_loader

# OpenBLAS, which numpy brings, has idle threads spin for 2^26 cycles by default: 30 ms of processor time at each start.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "14")
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
