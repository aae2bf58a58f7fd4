"""Folds events into the measures of rollup rows: columns in numpy, no SQL.

Reads decoded events and the declared dimensions. Returns measures by row. Asks one
question of its caller: which keys a day may admit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from zoneinfo import ZoneInfo

import numpy as np
from django.db import DatabaseError

from ..recording.event import RequestEvent
from .bots import is_bot
from .buckets import Grain, bucket_epoch
from .dimensions import KEY_LIMIT, OTHER, Dimension, Key
from .sketches import Histogram, Visitors

logger = logging.getLogger("analytics")
KEY_TYPES = {str, tuple, type(None)}
PEOPLE, BOTS, STAFF = range(3)
AUDIENCES = 3
EXACT = 2**53
"""Sums of integers below it are exact in floating point."""
SPARSE = 8
"""Ids of a range so many times larger than their number are sorted, not tabled."""

Admit = Callable[[Dimension, int, list[str]], set[str]]
"""(dimension, day as epoch seconds, keys in order of appearance) -> keys admitted."""


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


RowKey = tuple[str, int, int, str, int]
"""dimension, grain, bucket as epoch seconds, key, audience"""


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

        def column(values: Iterable[int]) -> np.ndarray:
            return np.fromiter(values, np.int64, count)

        def plain(name: str) -> np.ndarray:
            return column(map(attrgetter(name), events))

        raised = column(map(bool, map(attrgetter("exception"), events)))
        self.errors = ((plain("status") >= 500) | (raised > 0)).astype(np.int64)
        self.views = plain("page")
        self.bytes = plain("bytes")
        self.duration = plain("duration")
        self.latency = Histogram.indices(self.duration)
        bots = column(map(is_bot, map(attrgetter("agent"), events)))
        self.audience = np.where(plain("staff") > 0, STAFF, bots)
        self.visitors, self.visitor = _coded(plain("visitor"))
        minutes, self._minute = _coded(plain("time") // 60_000)
        self.buckets: dict[Grain, list[int]] = {}
        self.bucket: dict[Grain, np.ndarray] = {}
        for grain in Grain:
            starts = [bucket_epoch(m * 60, grain, zone) for m in minutes.tolist()]
            self.buckets[grain], codes = _factorise(starts)
            self.bucket[grain] = np.array(codes, np.int64)[self._minute]


def _coded(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values, ascending, and the place of each value among them."""
    return np.unique(values, return_inverse=True)


def _factorise(values: Sequence) -> tuple[list, list[int]]:
    """Distinct values in order of appearance, and the code of each value."""
    table = {value: code for code, value in enumerate(dict.fromkeys(values))}
    return list(table), list(map(table.__getitem__, values))


def _keys(
    events: Sequence[RequestEvent], dimension: Dimension
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Which events the dimension counts, and the code of their key."""
    found = _found(events, dimension)
    if set(map(type, found)) <= {str}:
        index = np.arange(len(found))
    else:
        pairs = [
            (place, key)
            for place, keys in enumerate(found)
            if keys is not None
            for key in _several(keys)
        ]
        index = np.array([place for place, _ in pairs], np.int64)
        found = [key for _, key in pairs]
    table, codes = _factorise(found)
    # Two keys may be one when they are cut.
    keys, recoded = _factorise([str(key)[:KEY_LIMIT] for key in table])
    codes = np.array(recoded, np.int64)[codes]
    if dimension.resolve is None:
        return index, codes, keys
    return _resolved(dimension, index, codes, keys)


def _resolved(
    dimension: Dimension, index: np.ndarray, codes: np.ndarray, keys: list[str]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The same with stored keys, without the events that have none."""
    answers = _answers(dimension, keys)
    stored, recoded = _factorise([answers.get(key) for key in keys])
    codes = np.array(recoded, np.int64)[codes]
    if None in stored:
        kept = codes != stored.index(None)
        index, codes = index[kept], codes[kept]
    # Several keys of an event may have become one.
    pairs, _ = _counted(index * len(stored) + codes)
    index, codes = np.divmod(pairs, len(stored))
    return index, codes, [str(key)[:KEY_LIMIT] for key in stored]


def _answers(dimension: Dimension, keys: list[str]) -> Mapping[str, str]:
    """An app's mistake must not stop all counting; a database that is away must, or
    what it would have told is missing for ever."""
    try:
        return dimension.resolve(keys)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("Resolving keys of dimension %r failed.", dimension.name)
        return {}


def _found(events: Sequence[RequestEvent], dimension: Dimension) -> list[Key]:
    """The key of each event. An app's mistake must not stop all counting: an event
    whose key cannot be had is not counted by that dimension, and that is logged."""
    try:
        found = list(map(dimension.key, events))
        if set(map(type, found)) <= KEY_TYPES:
            return found
    except Exception:
        logger.exception("The key of dimension %r failed.", dimension.name)
    return [_key_or_none(event, dimension) for event in events]


def _key_or_none(event: RequestEvent, dimension: Dimension) -> Key:
    try:
        key = dimension.key(event)
    except Exception:
        return None
    if isinstance(key, str | tuple) or key is None:
        return key
    logger.error("The key of dimension %r is no text: %r.", dimension.name, key)
    return None


def _several(keys: str | tuple[str, ...]) -> Iterable[str]:
    return (keys,) if isinstance(keys, str) else dict.fromkeys(map(str, keys))


def _admitted(
    dimension: Dimension,
    columns: _Columns,
    index: np.ndarray,
    codes: np.ndarray,
    keys: list[str],
    admit: Admit,
) -> tuple[np.ndarray, list[str]]:
    """The codes, with those of keys over their day's cap changed to ``(other)``."""
    keys = list(dict.fromkeys((*keys, OTHER)))
    other = keys.index(OTHER)
    days = columns.buckets[Grain.DAY]
    day = columns.bucket[Grain.DAY][index]
    allowed = np.full((len(days), len(keys)), other)
    for number, start in enumerate(days):
        present = dict.fromkeys(codes[day == number].tolist())
        present.pop(other, None)
        names = admit(dimension, start, [keys[code] for code in present])
        admitted = [code for code in present if keys[code] in names]
        allowed[number, admitted] = admitted
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
    starts = columns.buckets[grain]
    ids = columns.bucket[grain][index] * len(keys) + codes
    ids = ids * AUDIENCES + columns.audience[index]
    groups, inverse = _grouped(ids, len(starts) * len(keys) * AUDIENCES)
    size = len(groups)
    sums = (
        np.bincount(inverse, minlength=size).tolist(),
        *(
            _sums(inverse, values[index], size)
            for values in (
                columns.views,
                columns.errors,
                columns.bytes,
                columns.duration,
            )
        ),
    )
    rows = list(map(Measures, *sums))
    if dimension.latency:
        _add_latency(rows, inverse, columns.latency[index])
    if dimension.visitors:
        _add_visitors(rows, inverse, columns, index)
    for group, row in zip(groups.tolist(), rows, strict=True):
        rest, audience = divmod(group, AUDIENCES)
        number, code = divmod(rest, len(keys))
        yield (dimension.name, int(grain), starts[number], keys[code], audience), row


def _grouped(ids: np.ndarray, space: int) -> tuple[np.ndarray, np.ndarray]:
    """`_coded` for ids below ``space``, without sorting where they lie close."""
    if space > SPARSE * len(ids):
        return _coded(ids)
    groups = np.flatnonzero(np.bincount(ids, minlength=space))
    places = np.empty(space, np.int64)
    places[groups] = np.arange(len(groups))
    return groups, places[ids]


def _sums(inverse: np.ndarray, values: np.ndarray, size: int) -> list[int]:
    if int(values.sum()) < EXACT:
        sums = np.bincount(inverse, weights=values, minlength=size)
        return sums.astype(np.int64).tolist()
    exact = np.zeros(size, np.int64)
    np.add.at(exact, inverse, values)
    return exact.tolist()


def _add_latency(
    rows: list[Measures], inverse: np.ndarray, latency: np.ndarray
) -> None:
    width = int(latency.max()) + 1
    pairs, counts = _counted(inverse * width + latency)
    places, indices = np.divmod(pairs, width)
    columns = indices.tolist(), counts.tolist()
    for row, part in zip(rows, _parts(places, len(rows)), strict=True):
        indices, counts = (column[part] for column in columns)
        row.latency.counts = dict(zip(indices, counts, strict=True))


def _add_visitors(
    rows: list[Measures], inverse: np.ndarray, columns: _Columns, index: np.ndarray
) -> None:
    width = len(columns.visitors)
    pairs, _ = _counted(inverse * width + columns.visitor[index])
    places, codes = np.divmod(pairs, width)
    visitors = columns.visitors[codes].tolist()
    for row, part in zip(rows, _parts(places, len(rows)), strict=True):
        row.visitors.add_checked(visitors[part])


def _counted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values, ascending, and how often each occurs.

    What numpy's ``unique`` does; it hashes since 2.3, which takes five times as long.
    """
    ordered = np.sort(values)
    edges = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    return ordered[edges], np.diff(edges, append=len(ordered))


def _parts(places: np.ndarray, count: int) -> Iterator[slice]:
    """The slice of an ascending array that belongs to each of ``count`` rows."""
    edges = np.searchsorted(places, np.arange(count + 1)).tolist()
    return map(slice, edges[:-1], edges[1:])
