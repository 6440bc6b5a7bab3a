"""What every comparison shares: the row it reports, its arguments, its table."""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: What was compared.
        ours: Our figure.
        peer: The peer's figure on the same work in the same run.
        unit: Unit of both.
        ratio: How many times better ours is.
        target: The ratio to reach.
        met: Whether it was reached.
    """

    name: str
    ours: float
    peer: float
    unit: str
    ratio: float
    target: float
    met: bool


def row(
    name: str, *, ours: float, peer: float, unit: str, target: float, better: Literal["lower", "higher"] = "lower"
) -> Row:
    """Return a row with ratio and verdict; `ratio` above 1 means that ours is better."""
    ratio = peer / ours if better == "lower" else ours / peer
    return Row(name, round(ours, 4), round(peer, 4), unit, round(ratio, 3), target, ratio >= target)


def timed(call: Callable[[], object], *, repeats: int = 1) -> float:
    """Return the median seconds of `repeats` calls."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def thread_counts() -> list[int]:
    """Return one thread, and one a core: the first is steady, the second suffers from whatever else the machine does."""
    return sorted({1, os.cpu_count() or 1})


def in_turns(*calls: Callable[[], object], repeats: int) -> list[list[float]]:
    """Return the seconds of every call of each: in turns, so that what else the machine does falls on all alike."""
    rounds = [[timed(call) for call in calls] for _ in range(repeats)]
    return [list(seconds) for seconds in zip(*rounds, strict=True)]


def main(description: str, compare: Callable[[bool], Sequence[Row]]) -> None:
    """Run one comparison from the command line: print its table, write its rows."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--quick", action="store_true", help="less of the same work")
    arguments = parser.parse_args()
    rows = compare(arguments.quick)
    show(description, rows)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps([asdict(each) for each in rows], indent=2) + "\n")


def show(title: str, rows: Sequence[Row]) -> None:
    """Print rows as a table, under the machine they were measured on."""
    table = Table("comparison", "ours", "peer", "unit", "ratio", "target", "met", title=title)
    for each in rows:
        met = "[green]yes" if each.met else "[red]no"
        table.add_row(each.name, str(each.ours), str(each.peer), each.unit, f"{each.ratio}×", f"{each.target}×", met)
    console = Console(width=150)
    console.print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    console.print(table)
