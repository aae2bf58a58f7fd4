"""A line of the table of results, and how it is printed or handed on.

Reads and writes standard output; never measures anything.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was measured."""

    what: str
    peers: str
    ours: str
    target: str
    reached: bool | None = None
    """None where there is no target."""
    verified: str = ""
    """The counts that prove that what was measured did its work."""


Measurement = Callable[[bool], Iterable[Line]]
COLUMNS = ("what", "peers", "ours", "target", "reached", "verified")
WORDS = {True: "yes", False: "NO", None: ""}


def main(measure: Measurement) -> None:
    """The command line of every benchmark: a table, or JSON for ``bench`` itself."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--quick", action="store_true", help="only a smoke test")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    lines = []
    for line in measure(options.quick):
        lines.append(line)
        if options.json:
            print(json.dumps(asdict(line)), flush=True)
    if not options.json:
        print_table(lines)


def print_table(lines: Iterable[Line]) -> None:
    """A table in Markdown, so that it can be pasted into an issue."""
    rows = [(*_cells(line),) for line in lines]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    for row in (COLUMNS, tuple("-" * width for width in widths), *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(cells)} |")


def _cells(line: Line) -> tuple[str, ...]:
    values = asdict(line) | {"reached": WORDS[line.reached]}
    return tuple(str(values[column]) for column in COLUMNS)


def progress(text: str) -> None:
    """For the person who waits; never part of the results."""
    print(f"… {text}", file=sys.stderr, flush=True)


def counts(sent: int, counted: int) -> str:
    sign = "=" if sent == counted else "≠"
    return f"{spaced(sent)} sent {sign} {spaced(counted)} counted"


def spaced(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")


def percentile(values: Iterable[float], q: float) -> float:
    """By nearest rank; ``q`` from 0 to 100."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * q / 100) - 1)]
