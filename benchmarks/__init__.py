"""Comparisons with peers: `python -m benchmarks.NAME --json FILE [--quick]`, or all of them with `python -m benchmarks`."""
