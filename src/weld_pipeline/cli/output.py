"""What commands print: JSON and nothing else, or tables for people."""

import json
from typing import Any

from rich.console import Console
from rich.text import Text


def print_json(value: Any) -> None:
    """Print one JSON document for people and programs."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def print_json_line(value: Any) -> None:
    """Print one line of JSON at once, for whoever reads along."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False), flush=True)


def print_rich(*values: Any) -> None:
    """Print tables and lines in colour, where the terminal has them."""
    console = Console(highlight=False, emoji=False, markup=False)
    for value in values:
        console.print(value, soft_wrap=isinstance(value, Text))  # a line stays a line, also in a pipe
