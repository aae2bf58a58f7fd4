"""Events as columns: arrays of numbers, and codes into lists of distinct values.

Reads decoded events; no SQL, no declarations. What is computed is computed once for all
dimensions of a fold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ..recording.event import RequestEvent
from .bots import is_bot
from .buckets import Grain, bucket_epoch
from .sketches import Histogram

PEOPLE, BOTS, STAFF = range(3)
AUDIENCES = 3
SPARSE = 8
"""Ids of a range so many times larger than their number are sorted, not tabled."""


class Columns:
    """The events of one fold."""

    def __init__(self, events: Sequence[RequestEvent], zone: ZoneInfo) -> None:
        self.events = events
        self._codes: dict[str, tuple[list[Any], np.ndarray]] = {}
        self._distinct: dict[
            tuple[str, ...], tuple[Sequence[RequestEvent], np.ndarray]
        ] = {}
        raised = self._judged("exception", bool)
        self.errors = ((self._plain("status") >= 500) | (raised > 0)).astype(np.int64)
        self.views = self._plain("page")
        self.bytes = self._plain("bytes")
        self.duration = self._plain("duration")
        self.latency = Histogram.indices(self.duration)
        bots = self._judged("agent", is_bot)
        self.audience = np.where(self._plain("staff") > 0, STAFF, bots)
        self.visitors, self.visitor = coded(self._plain("visitor"))
        minutes, self.minute = coded(self._plain("time") // 60_000)
        seconds = [minute * 60 for minute in minutes.tolist()]
        self.buckets: dict[Grain, list[int]] = {}
        """Grain -> the starts of its buckets."""
        self.places: dict[Grain, np.ndarray] = {}
        """Grain -> the place among them of each of the minutes."""
        for grain in Grain:
            starts = [bucket_epoch(second, grain, zone) for second in seconds]
            self.buckets[grain], places = factorise(starts)
            self.places[grain] = np.array(places, np.int64)

    def distinct(
        self, fields: tuple[str, ...] | None
    ) -> tuple[Sequence[RequestEvent], np.ndarray]:
        """One event for each combination of values that ``fields`` have, in order of
        appearance, and the place of each event's own. None: all fields."""
        if fields is None:
            return self.events, np.arange(len(self.events))
        if fields not in self._distinct:
            self._distinct[fields] = self._combined(fields)
        return self._distinct[fields]

    def _combined(
        self, fields: tuple[str, ...]
    ) -> tuple[Sequence[RequestEvent], np.ndarray]:
        codes, size = np.zeros(len(self.events), np.int64), 1
        for name in fields:
            values, others = self._coded(name)
            groups, codes = grouped(codes * len(values) + others, size * len(values))
            size = len(groups)
        first = first_places(codes, size)
        order = np.argsort(first)
        places = np.empty(size, np.int64)
        places[order] = np.arange(size)
        return [self.events[place] for place in first[order]], places[codes]

    def _coded(self, name: str) -> tuple[list[Any], np.ndarray]:
        if name not in self._codes:
            values: Iterable[Any] = map(attrgetter(name), self.events)
            if name == "kwargs":
                values = [tuple(one.items()) if one else () for one in values]
            table, codes = factorise(list(values))
            self._codes[name] = table, np.array(codes, np.int64)
        return self._codes[name]

    def _judged(self, name: str, judge: Callable[[str], bool]) -> np.ndarray:
        values, codes = self._coded(name)
        return np.array(list(map(judge, values)), np.int64)[codes]

    def _plain(self, name: str) -> np.ndarray:
        values = map(attrgetter(name), self.events)
        return np.fromiter(values, np.int64, len(self.events))


def coded(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values, ascending, and the place of each value among them."""
    return np.unique(values, return_inverse=True)


def factorise(values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Distinct values in order of appearance, and the code of each value."""
    table = {value: code for code, value in enumerate(dict.fromkeys(values))}
    return list(table), list(map(table.__getitem__, values))


def grouped(ids: np.ndarray, space: int) -> tuple[np.ndarray, np.ndarray]:
    """`coded` for ids below ``space``, without sorting where they lie close."""
    if space > SPARSE * len(ids):
        return coded(ids)
    groups = np.flatnonzero(np.bincount(ids, minlength=space))
    places = np.empty(space, np.int64)
    places[groups] = np.arange(len(groups))
    return groups, places[ids]


def counted(
    values: np.ndarray, counts: np.ndarray | None = None
) -> tuple[np.ndarray, ...]:
    """The distinct values, ascending, and the sums of their counts, if there are any.

    What numpy's ``unique`` does; it hashes since 2.3, which takes five times as long.
    """
    if counts is None:
        ordered = np.sort(values)
        return (ordered[_edges(ordered)],)
    order = np.argsort(values)
    ordered = values[order]
    edges = _edges(ordered)
    return ordered[edges], np.add.reduceat(counts[order], edges)


def _edges(ordered: np.ndarray) -> np.ndarray:
    """Where another value begins."""
    return np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))


def first_places(codes: np.ndarray, size: int) -> np.ndarray:
    """Where each of ``size`` codes, all of which occur, occurs first."""
    first = np.empty(size, np.int64)
    # Of several values for one place the last one stays.
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return first
