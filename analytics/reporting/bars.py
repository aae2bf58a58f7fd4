"""Bars that a histogram of durations is drawn with.

Reads a histogram of the tables, whose some 600 buckets are too narrow to be looked at;
merges whole buckets, so that no request is ever on the wrong side of an edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..rollup.sketches import LAST, Histogram

MOST = 30
"""So many bars are still told apart."""
FEWEST = 12
"""With less the axis would say nothing; those around the found ones are empty."""
SMALLEST_MERGE = 6
"""Buckets in the narrowest bar: its upper edge is 1.27 times its lower one."""


@dataclass(frozen=True, slots=True)
class Bars:
    """How many requests took how long."""

    edges: tuple[int, ...] = ()
    """In microseconds, ascending, one more than ``counts``: the bar at ``i`` counts the
    durations ``edges[i] <= d < edges[i + 1]``. Each edge is about the same number of
    times the one before it. Durations above a day are counted as a day."""
    counts: tuple[int, ...] = ()
    """Together all requests of which the duration is known, those of failed ones and
    of no page included."""

    @classmethod
    def of(cls, latency: Histogram) -> Bars:
        """At most ``MOST`` bars of equally many buckets; none of no duration."""
        if not latency.counts:
            return cls()
        size = SMALLEST_MERGE
        low, high = min(latency.counts), max(latency.counts)
        while high // size - low // size >= MOST:
            size += 1
        first, last = _widened(low // size, high // size, LAST // size)
        counts = [0] * (last - first + 1)
        for index, count in latency.counts.items():
            counts[index // size - first] += count
        return cls(tuple(_edges(first, last, size)), tuple(counts))


def _widened(first: int, last: int, end: int) -> tuple[int, int]:
    """At least ``FEWEST`` bars, with the found ones in their middle."""
    missing = max(0, FEWEST - (last - first + 1))
    first = max(0, min(first - missing // 2, end - FEWEST + 1))
    return first, max(last, min(first + FEWEST - 1, end))


def _edges(first: int, last: int, size: int) -> Iterator[int]:
    for bar in range(first, last + 1):
        yield Histogram.bounds(bar * size)[0]
    yield Histogram.bounds(min((last + 1) * size - 1, LAST))[1] + 1
