"""Folds events into the measures of rollup rows: columns in numpy, no SQL.

Reads decoded events and the declared dimensions. Returns measures by row. Asks one
question of its caller: which keys a day may admit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from ..recording.event import NOBODY, RequestEvent
from .buckets import Grain
from .columns import AUDIENCES, Columns, counted, first_places, grouped
from .dimensions import OTHER, Dimension
from .keys import keys_of
from .sketches import Histogram, Visitors

EXACT = 2**53
"""Sums of integers below it are exact in floating point."""

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
    columns = Columns(events, zone)
    rows: dict[RowKey, Measures] = {}
    for dimension in dimensions:
        index, codes, keys = keys_of(columns, dimension)
        if len(index):
            codes, keys = _admitted(dimension, columns, index, codes, keys, admit)
            table = _table(dimension, columns, index, codes)
            rows.update(_rows(dimension, columns, table, keys))
    return rows


def _admitted(
    dimension: Dimension,
    columns: Columns,
    index: np.ndarray,
    codes: np.ndarray,
    keys: list[str],
    admit: Admit,
) -> tuple[np.ndarray, list[str]]:
    """The codes, with those of keys over their day's cap changed to ``(other)``."""
    keys = list(dict.fromkeys((*keys, OTHER)))
    other = keys.index(OTHER)
    days = columns.buckets[Grain.DAY]
    day = columns.places[Grain.DAY][columns.minute[index]]
    allowed = np.full((len(days), len(keys)), other)
    for number, start in enumerate(days):
        present = [code for code in _present(codes[day == number]) if code != other]
        names = admit(dimension, start, [keys[code] for code in present])
        admitted = [code for code in present if keys[code] in names]
        allowed[number, admitted] = admitted
    return allowed[day, codes], keys


def _present(codes: np.ndarray) -> list[int]:
    """The distinct codes in order of appearance."""
    if not len(codes):
        return []
    values, places = grouped(codes, int(codes.max()) + 1)
    return values[np.argsort(first_places(places, len(values)))].tolist()


class _Table(NamedTuple):
    """Rows of one dimension as arrays: one for each event, or those of a grain."""

    minute: np.ndarray
    """A minute that lies in the row's bucket."""
    code: np.ndarray
    audience: np.ndarray
    sums: tuple[np.ndarray, ...]
    """Requests, views, errors, bytes, duration."""
    latency: tuple[np.ndarray, ...] | None
    """Places of rows, indices of the histogram, counts."""
    visitors: tuple[np.ndarray, ...] | None
    """Places of rows, places of visitors."""


def _table(
    dimension: Dimension, columns: Columns, index: np.ndarray, codes: np.ndarray
) -> _Table:
    ones = np.ones(len(index), np.int64)
    sums = (columns.views, columns.errors, columns.bytes, columns.duration)
    return _Table(
        columns.minute[index],
        codes,
        columns.audience[index],
        (ones, *(values[index] for values in sums)),
        _known_latency(columns, index) if dimension.latency else None,
        (np.arange(len(index)), columns.visitor[index]) if dimension.visitors else None,
    )


def _known_latency(
    columns: Columns, index: np.ndarray
) -> tuple[np.ndarray, ...] | None:
    """None if no duration is known: logs often have none."""
    places = np.flatnonzero(columns.duration[index])
    if not len(places):
        return None
    return places, columns.latency[index[places]], np.ones(len(places), np.int64)


def _rows(
    dimension: Dimension, columns: Columns, table: _Table, keys: list[str]
) -> Iterator[tuple[RowKey, Measures]]:
    """The rows of all grains. Buckets of a grain lie within those of the next coarser
    one: so that is made of rows, which are fewer than events."""
    for grain in sorted(dimension.grains):
        starts, places = columns.buckets[grain], columns.places[grain]
        table = _merged(table, places[table.minute], len(starts), len(keys))
        found = zip(
            places[table.minute].tolist(),
            table.code.tolist(),
            table.audience.tolist(),
            _measures(table, columns),
            strict=True,
        )
        for place, code, audience, row in found:
            yield (dimension.name, int(grain), starts[place], keys[code], audience), row


def _merged(table: _Table, bucket: np.ndarray, buckets: int, keys: int) -> _Table:
    """One row for those of the same bucket, key and audience."""
    ids = (bucket * keys + table.code) * AUDIENCES + table.audience
    groups, place = grouped(ids, buckets * keys * AUDIENCES)
    size = len(groups)
    first = first_places(place, size)
    latency, visitors = table.latency, table.visitors
    if latency:
        rows, indices, counts = latency
        latency = _pairs(place[rows], indices, counts)
    if visitors:
        rows, people = visitors
        visitors = _pairs(place[rows], people)
    return _Table(
        table.minute[first],
        table.code[first],
        table.audience[first],
        tuple(_sums(place, values, size) for values in table.sums),
        latency,
        visitors,
    )


def _pairs(
    places: np.ndarray, values: np.ndarray, counts: np.ndarray | None = None
) -> tuple[np.ndarray, ...]:
    """Each pair once, ascending; with the sum of its counts, if there are any."""
    width = int(values.max()) + 1
    pairs, *sums = counted(places * width + values, counts)
    return *np.divmod(pairs, width), *sums


def _sums(place: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    if int(values.sum()) < EXACT:
        sums = np.bincount(place, weights=values, minlength=size)
        return sums.astype(np.int64)
    exact = np.zeros(size, np.int64)
    np.add.at(exact, place, values)
    return exact


def _measures(table: _Table, columns: Columns) -> list[Measures]:
    rows = list(map(Measures, *(values.tolist() for values in table.sums)))
    if table.latency:
        _add_latency(rows, *table.latency)
    if table.visitors:
        _add_visitors(rows, *table.visitors, columns.visitors)
    return rows


def _add_latency(
    rows: list[Measures], places: np.ndarray, indices: np.ndarray, counts: np.ndarray
) -> None:
    numbers, sums = indices.tolist(), counts.tolist()
    for row, part in zip(rows, _parts(places, len(rows)), strict=True):
        row.latency.counts = dict(zip(numbers[part], sums[part], strict=True))


def _add_visitors(
    rows: list[Measures], places: np.ndarray, codes: np.ndarray, people: np.ndarray
) -> None:
    if people[0] == NOBODY:
        # Ascending: the first of all is the only one that may be.
        places, codes = places[codes > 0], codes[codes > 0]
    visitors = people[codes].tolist()
    for row, part in zip(rows, _parts(places, len(rows)), strict=True):
        row.visitors.add_checked(visitors[part])


def _parts(places: np.ndarray, count: int) -> Iterator[slice]:
    """The slice of an ascending array that belongs to each of ``count`` rows."""
    edges = np.searchsorted(places, np.arange(count + 1)).tolist()
    return map(slice, edges[:-1], edges[1:])
