"""Folds events into the measures of rollup rows: columns in numpy, no SQL.

Reads decoded events and the declared dimensions. Returns measures by row. Asks one
question of its caller: which keys a day may admit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from zoneinfo import ZoneInfo

import crawleruseragents
import numpy as np

from ..recording.event import RequestEvent
from .buckets import Grain, bucket_epoch
from .dimensions import KEY_LIMIT, OTHER, Dimension
from .sketches import Histogram, Visitors

PEOPLE, BOTS, STAFF = range(3)
AUDIENCES = 3

Admit = Callable[[Dimension, int, list[str]], set[str]]
"""(dimension, day as epoch seconds, keys in order of appearance) -> keys admitted."""

_BOT = re.compile(
    "|".join(f"(?:{entry['pattern']})" for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA)
)


@dataclass(slots=True)
class Measures:
    """What a rollup row measures; see ``models.Rollup`` for the units."""

    requests: int = 0
    views: int = 0
    errors: int = 0
    bytes: int = 0
    duration: int = 0
    latency: Histogram = field(default_factory=Histogram)
    visitors: Visitors = field(default_factory=Visitors)

    def merge(self, other: Measures) -> None:
        self.requests += other.requests
        self.views += other.views
        self.errors += other.errors
        self.bytes += other.bytes
        self.duration += other.duration
        self.latency.merge(other.latency)
        self.visitors.merge(other.visitors)


RowKey = tuple[str, int, int, str, int]
"""dimension, grain, bucket as epoch seconds, key, audience"""


@lru_cache(maxsize=20_000)
def is_bot(agent: str) -> bool:
    """Whether a user agent is a program's. Source: crawler-user-agents."""
    return not agent or _BOT.search(agent) is not None


def fold(
    events: Sequence[RequestEvent],
    dimensions: Sequence[Dimension],
    zone: ZoneInfo,
    admit: Admit,
) -> dict[RowKey, Measures]:
    """The measures of every row that ``events`` touch."""
    if not events:
        return {}
    columns = _Columns(events, zone)
    rows: dict[RowKey, Measures] = {}
    for dimension in dimensions:
        index, codes, keys = _keys(events, dimension)
        if not len(index):
            continue
        codes, keys = _admitted(dimension, columns, index, codes, keys, admit)
        for grain in dimension.grains:
            rows.update(_rows(dimension, grain, columns, index, codes, keys))
    return rows


class _Columns:
    """The events as arrays; buckets and visitors as codes into lists."""

    def __init__(self, events: Sequence[RequestEvent], zone: ZoneInfo) -> None:
        count = len(events)

        def column(values: Iterator[int]) -> np.ndarray:
            return np.fromiter(values, np.int64, count)

        status = column(e.status for e in events)
        raised = column(bool(e.exception) for e in events)
        self.errors = ((status >= 500) | (raised > 0)).astype(np.int64)
        self.views = column(e.page for e in events)
        self.bytes = column(e.bytes for e in events)
        self.duration = column(e.duration for e in events)
        self.latency = Histogram.indices(self.duration)
        self.audience = column(
            STAFF if e.staff else is_bot(e.agent) for e in events
        )
        visitors = column(e.visitor for e in events)
        self.visitors, self.visitor = np.unique(visitors, return_inverse=True)
        minutes = column(e.time // 60_000 for e in events)
        found, inverse = np.unique(minutes, return_inverse=True)
        self.buckets: dict[Grain, list[int]] = {}
        self.bucket: dict[Grain, np.ndarray] = {}
        for grain in Grain:
            starts = [bucket_epoch(int(m) * 60, grain, zone) for m in found]
            self.buckets[grain], codes = _factorise(starts)
            self.bucket[grain] = np.array(codes, np.int64)[inverse]


def _factorise(values: Sequence) -> tuple[list, list[int]]:
    """Distinct values in order of appearance, and the code of each value."""
    table: dict = {}
    codes = [table.setdefault(value, len(table)) for value in values]
    return list(table), codes


def _keys(
    events: Sequence[RequestEvent], dimension: Dimension
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Which events the dimension counts, and the code of their key."""
    found = list(map(dimension.key, events))
    if all(type(key) is str for key in found):
        table, codes = _factorise(found)
        index = np.arange(len(found))
    else:
        pairs = [(i, key) for i, keys in enumerate(found) for key in _several(keys)]
        table, codes = _factorise([key for _, key in pairs])
        index = np.array([i for i, _ in pairs], np.int64)
    return index, np.array(codes, np.int64), [str(key)[:KEY_LIMIT] for key in table]


def _several(keys: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if keys is None:
        return ()
    return (keys,) if isinstance(keys, str) else tuple(dict.fromkeys(keys))


def _admitted(
    dimension: Dimension,
    columns: _Columns,
    index: np.ndarray,
    codes: np.ndarray,
    keys: list[str],
    admit: Admit,
) -> tuple[np.ndarray, list[str]]:
    """The codes, with those of keys over their day's cap changed to ``(other)``."""
    keys = [*keys, OTHER]
    other = len(keys) - 1
    day = columns.bucket[Grain.DAY][index]
    pairs, first = np.unique(day * len(keys) + codes, return_index=True)
    allowed = np.full((len(columns.buckets[Grain.DAY]), len(keys)), other)
    order = pairs[np.argsort(first)]
    for number, start in enumerate(columns.buckets[Grain.DAY]):
        present = [int(p % len(keys)) for p in order if p // len(keys) == number]
        names = admit(dimension, start, list(dict.fromkeys(keys[p] for p in present)))
        for code in present:
            if keys[code] in names:
                allowed[number, code] = code
    return allowed[day, codes], keys


def _rows(
    dimension: Dimension,
    grain: Grain,
    columns: _Columns,
    index: np.ndarray,
    codes: np.ndarray,
    keys: list[str],
) -> Iterator[tuple[RowKey, Measures]]:
    """One grain of one dimension: sums by (bucket, key, audience)."""
    bucket = columns.bucket[grain][index]
    ids = (bucket * len(keys) + codes) * AUDIENCES + columns.audience[index]
    groups, inverse = np.unique(ids, return_inverse=True)
    size = len(groups)

    def total(values: np.ndarray) -> list[int]:
        sums = np.zeros(size, np.int64)
        np.add.at(sums, inverse, values[index])
        return sums.tolist()

    requests = np.bincount(inverse, minlength=size).tolist()
    views, errors = total(columns.views), total(columns.errors)
    sent, duration = total(columns.bytes), total(columns.duration)
    rows = [
        Measures(*sums)
        for sums in zip(requests, views, errors, sent, duration, strict=True)
    ]
    if dimension.latency:
        _add_latency(rows, inverse, columns.latency[index])
    if dimension.visitors:
        _add_visitors(rows, inverse, columns, index)
    starts = columns.buckets[grain]
    for group, row in zip(groups.tolist(), rows, strict=True):
        rest, audience = divmod(group, AUDIENCES)
        number, code = divmod(rest, len(keys))
        yield (dimension.name, int(grain), starts[number], keys[code], audience), row


def _add_latency(
    rows: list[Measures], inverse: np.ndarray, latency: np.ndarray
) -> None:
    width = int(latency.max()) + 1
    pairs, counts = np.unique(inverse * width + latency, return_counts=True)
    for row, part in _split(pairs // width, len(rows)):
        rows[row].latency.add_counts(
            (pairs[part] % width).tolist(), counts[part].tolist()
        )


def _add_visitors(
    rows: list[Measures], inverse: np.ndarray, columns: _Columns, index: np.ndarray
) -> None:
    width = len(columns.visitors)
    pairs = np.unique(inverse * width + columns.visitor[index])
    for row, part in _split(pairs // width, len(rows)):
        rows[row].visitors.add_many(columns.visitors[pairs[part] % width].tolist())


def _split(rows: np.ndarray, count: int) -> Iterator[tuple[int, slice]]:
    """The slice of a sorted array that belongs to each row; every row has one."""
    edges = np.searchsorted(rows, np.arange(count + 1)).tolist()
    for row in range(count):
        yield row, slice(edges[row], edges[row + 1])
