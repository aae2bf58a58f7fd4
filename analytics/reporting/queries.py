"""The numbers: every one that is shown, drawn or exported is asked for here.

Reads rollup rows, and the labels that dimensions give to their keys; writes nothing,
and asks Redis nothing. Each function runs the number of SQL queries it names, however
long the period is; and one for all of them asks how long rows are kept, the first time
that a period is used.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import itemgetter, or_
from typing import Any

from django.db.models import Q, QuerySet, Sum

from ..conf import get_config
from ..models import Audience, Rollup
from ..rollup.dimensions import OTHER, Dimension, Label, get_dimensions
from ..rollup.fold import Measures
from ..rollup.sketches import Histogram, Visitors
from ..words import change
from . import coverage
from .bars import Bars
from .measures import (
    COMPARED,
    MEASURES,
    RANKS,
    SUMS,
    Comparison,
    Top,
    TopRow,
    Totals,
    UnknownName,
    percentiles_of,
)
from .periods import Period
from .ranking import BATCH_ROWS, every_row, spooled, top_rows

PEOPLE = (Audience.PEOPLE,)
NO_TIME = Q(pk=0)
"""Of a period that was cut where it begins. In SQL, unlike an empty list."""


@dataclass(frozen=True, slots=True)
class Series:
    """One measure of each bucket of a period."""

    period: Period
    measure: str
    buckets: tuple[datetime.datetime, ...]
    """The starts of its buckets."""
    values: tuple[float | None, ...]
    """One for each bucket: 0 where nothing was counted (for a rate or a percentile
    None, there is none of nothing), None in a gap and where the future is."""
    gaps: tuple[int, ...] = ()
    """Places of the buckets in which nothing could be recorded: before the first
    record, or while no web process of the site was alive."""


def series(
    *,
    period: Period,
    measure: str,
    audiences: Collection[int] = PEOPLE,
    dimension: str = "total",
    key: str = "",
    site: str | None = None,
) -> Series:
    """One of ``MEASURES`` of ``key`` in each bucket of ``period``.

    One query, and one more if nothing was counted in some bucket, to tell a gap from 0.
    """
    if measure not in MEASURES:
        raise UnknownName(f"There is no measure {measure!r}.")
    period = period.of_dimension(dimension_of(dimension))
    buckets = period.buckets()
    found = [Measures() for _ in buckets]
    columns = MEASURES[measure].columns
    where = _where(site, dimension, period, audiences)
    rows = Rollup.objects.filter(where, key=key).order_by()
    filled = set()
    for bucket, *values in rows.values_list("bucket", *columns):
        place = bisect_right(buckets, bucket) - 1
        filled.add(place)
        _add(found[place], columns, values)
    begun = bisect_right(buckets, period.now)
    gaps = _gaps(site, period, [n for n in range(begun) if n not in filled])
    value = MEASURES[measure].value
    unknown = {*gaps, *range(begun, len(buckets))}
    values = (
        None if place in unknown else value(one) for place, one in enumerate(found)
    )
    return Series(period, measure, buckets, tuple(values), gaps)


def totals(
    *,
    period: Period,
    audiences: Collection[int] = PEOPLE,
    dimension: str = "total",
    key: str = "",
    site: str | None = None,
) -> Totals:
    """The measures of ``key`` over the whole of ``period``. One query."""
    whole, sketches = Measures(), []
    declared = dimension_of(dimension)
    columns = ("requests", "views", "errors", "bytes", "latency")
    rows = _rows(site, declared, key, period, audiences)
    for visitors, *values in rows.values_list("visitors", *columns):
        _add(whole, columns, values)
        sketches.append(visitors)
    return Totals(
        requests=whole.requests,
        views=whole.views,
        errors=whole.errors,
        bytes=whole.bytes,
        visitors=Visitors.union(sketches).estimate() if declared.visitors else None,
        latency=whole.latency if declared.latency else None,
    )


def compare(
    *,
    period: Period,
    before: Period,
    audiences: Collection[int] = PEOPLE,
    dimension: str = "total",
    key: str = "",
    site: str | None = None,
) -> Comparison:
    """The measures of ``key`` in two periods, and by how much each of them grew.

    ``before`` is mostly ``period.previous()``, which ends at the same part of a running
    period. Two queries.
    """
    now, then = (
        totals(period=one, audiences=audiences, dimension=dimension, key=key, site=site)
        for one in (period, before)
    )
    changes = {
        name: change(getattr(now, name), getattr(then, name)) for name in COMPARED
    }
    return Comparison(now, then, changes)


def visitors(
    *,
    period: Period,
    audiences: Collection[int] = PEOPLE,
    dimension: str = "total",
    key: str = "",
    site: str | None = None,
) -> int | None:
    """How many different visitors ``key`` had in the whole of ``period``.

    Exact up to 768, then within about 1 %; None of a dimension that keeps no visitors.
    Where a visitor is recognised for a day or a month only, one of each of these:
    `measures.visitors_label` says which. One query.
    """
    declared = dimension_of(dimension)
    if not declared.visitors:
        return None
    rows = _rows(site, declared, key, period, audiences)
    return Visitors.union(rows.values_list("visitors", flat=True)).estimate()


def percentiles(
    *,
    period: Period,
    ranks: Iterable[float] = RANKS,
    audiences: Collection[int] = PEOPLE,
    dimension: str = "total",
    key: str = "",
    site: str | None = None,
) -> dict[float, float | None]:
    """Rank -> the microseconds that so many percent of the requests stayed within.

    Of those of which the duration is known; within 2 % of the nearest rank's, None
    without any. One query.
    Raises `UnknownName` of a dimension that keeps no durations, and `ValueError` of a
    rank below 0 or above 100.
    """
    latency = _latency(site, dimension_of(dimension), key, period, audiences)
    return percentiles_of(latency, ranks)


def histogram(
    *,
    period: Period,
    audiences: Collection[int] = PEOPLE,
    dimension: str = "total",
    key: str = "",
    site: str | None = None,
) -> Bars:
    """How many requests took how long: at most 30 bars, together all requests of which
    the duration is known.

    One query. Raises `UnknownName` of a dimension that keeps no durations.
    """
    return Bars.of(_latency(site, dimension_of(dimension), key, period, audiences))


def top(
    *,
    dimension: str,
    period: Period,
    audiences: Collection[int] = PEOPLE,
    measure: str = "views",
    limit: int = 10,
    offset: int = 0,
    search: str = "",
    before: Period | None = None,
    site: str | None = None,
) -> Top:
    """The largest keys by a sum, ties in the order of their keys.

    ``limit`` of those that ``search`` finds, behind the first ``offset``; each with its
    sum in ``before``, if that is given. One query, one for ``before``, and those of the
    dimension's labels. ``(other)`` is never listed.
    """
    declared = dimension_of(dimension)
    if measure not in SUMS:
        raise UnknownName(f"There is no sum {measure!r}.")
    where = _where(site, dimension, period.of_dimension(declared), audiences)
    found = top_rows(where, declared, measure, search, limit, offset)
    rows = _labelled(found, declared, measure, before, audiences, site)
    total, number_of_keys = map(int, found[0][-2:]) if found else (0, 0)
    return Top(declared, measure, rows, total, number_of_keys)


def every(
    *,
    dimension: str,
    period: Period,
    audiences: Collection[int] = PEOPLE,
    measure: str = "views",
    search: str = "",
    before: Period | None = None,
    site: str | None = None,
) -> Iterator[tuple[TopRow, ...]]:
    """All keys that `top` gives, in its order and in batches, for downloads.

    One query, and for each batch those of ``before`` and of the labels.
    """
    declared = dimension_of(dimension)
    if measure not in SUMS:
        raise UnknownName(f"There is no sum {measure!r}.")
    where = _where(site, dimension, period.of_dimension(declared), audiences)
    for found in every_row(where, declared, measure, search):
        yield _labelled(found, declared, measure, before, audiences, site)


def every_series(
    *,
    dimension: str,
    period: Period,
    measure: str,
    audiences: Collection[int] = PEOPLE,
    site: str | None = None,
) -> Iterator[list[tuple[str, int, float | None]]]:
    """What `series` gives of every key that `top` may list, in batches: the key, the
    place of a bucket in ``period.buckets()``, the value.

    Keys in their order, places in theirs; buckets in which nothing of a key was counted
    are left out. One query, whose answer lies in a file meanwhile, as that of `every`.
    """
    declared = dimension_of(dimension)
    if measure not in MEASURES:
        raise UnknownName(f"There is no measure {measure!r}.")
    period = period.of_dimension(declared)
    columns = MEASURES[measure].columns
    where = _where(site, dimension, period, audiences)
    rows = Rollup.objects.filter(where).exclude(key=OTHER).order_by("key", "bucket")
    found = rows.values_list("key", "bucket", *columns).iterator(BATCH_ROWS)
    yield from spooled(_placed(found, period.buckets(), measure))


def _placed(
    rows: Iterable[tuple[Any, ...]],
    buckets: Sequence[datetime.datetime],
    measure: str,
) -> Iterator[tuple[str, int, float | None]]:
    """The measure of all rows of one key and bucket, of rows in their order."""
    columns, value = MEASURES[measure].columns, MEASURES[measure].value
    placed = ((row[0], bisect_right(buckets, row[1]) - 1, row[2:]) for row in rows)
    for (key, place), group in groupby(placed, key=itemgetter(0, 1)):
        one = Measures()
        for *_, values in group:
            _add(one, columns, values)
        yield key, place, value(one)


def per_key(
    *,
    dimension: str,
    keys: Iterable[str],
    period: Period,
    audiences: Collection[int] = PEOPLE,
    measure: str = "views",
    site: str | None = None,
) -> dict[str, int]:
    """Key -> its sum, for those of ``keys`` that have one. One query."""
    if measure not in SUMS:
        raise UnknownName(f"There is no sum {measure!r}.")
    period = period.of_dimension(dimension_of(dimension))
    where = _where(site, dimension, period, audiences)
    rows = Rollup.objects.filter(where, key__in=list(keys)).order_by()
    return dict(rows.values("key").annotate(n=Sum(measure)).values_list("key", "n"))


def note(
    *, period: Period, before: Period | None = None, dimension: str = "total"
) -> str:
    """What the numbers of ``period``, and of the one it is compared with, cannot tell,
    because finer rows are not kept so long: in sentences, mostly none. No query."""
    declared = dimension_of(dimension)
    notes = [one.note(declared) for one in (period, before) if one]
    return " ".join(filter(None, notes))


def dimension_of(name: str) -> Dimension:
    """The declaration of a dimension; raises `UnknownName`."""
    for dimension in get_dimensions():
        if dimension.name == name:
            return dimension
    raise UnknownName(f"There is no dimension {name!r}.")


def measures_of(dimension: Dimension) -> tuple[str, ...]:
    """Of ``MEASURES`` those that a dimension keeps."""
    missing = () if dimension.visitors else ("visitors",)
    missing += () if dimension.latency else ("p95",)
    return tuple(name for name in MEASURES if name not in missing)


def labels_of(dimension: Dimension, keys: Sequence[str]) -> Mapping[str, Label]:
    """A label for each key: its own text where the dimension knows none."""
    labels = {key: Label(key) for key in keys}
    if dimension.describe and keys:
        labels |= dimension.describe(keys)
    return labels


def _where(
    site: str | None, dimension: str, period: Period, audiences: Collection[int]
) -> Q:
    """The rows of a dimension that make up a period, each once."""
    times = [
        Q(grain=grain, bucket__gte=start, bucket__lt=end)
        for grain, start, end in period.spans()
    ]
    site = site or get_config().site
    rows = Q(site=site, dimension=dimension, audience__in=audiences)
    return rows & reduce(or_, times or [NO_TIME])


def _gaps(site: str | None, period: Period, empty: Collection[int]) -> tuple[int, ...]:
    """Of the places of empty buckets those in which nothing could be recorded."""
    everybody = _where(site, "total", period, tuple(Audience))
    return coverage.gaps(
        site=site or get_config().site,
        buckets=period.buckets(),
        end=period.end,
        now=period.now,
        empty=empty,
        counted=Rollup.objects.filter(everybody),
    )


def _rows(
    site: str | None,
    dimension: Dimension,
    key: str,
    period: Period,
    audiences: Collection[int],
) -> QuerySet[Rollup]:
    """The rows of one key that make up a period, each once."""
    period = period.of_dimension(dimension)
    where = _where(site, dimension.name, period, audiences)
    return Rollup.objects.filter(where, key=key).order_by()


def _latency(
    site: str | None,
    dimension: Dimension,
    key: str,
    period: Period,
    audiences: Collection[int],
) -> Histogram:
    if not dimension.latency:
        raise UnknownName(f"The dimension {dimension.name!r} keeps no durations.")
    whole = Histogram()
    rows = _rows(site, dimension, key, period, audiences)
    for latency in rows.values_list("latency", flat=True):
        whole.merge(latency)
    return whole


def _labelled(
    found: Sequence[tuple[Any, ...]],
    dimension: Dimension,
    measure: str,
    before: Period | None,
    audiences: Collection[int],
    site: str | None,
) -> tuple[TopRow, ...]:
    """What `ranking` has found, with labels and with the sums of ``before``."""
    keys = [key for key, *_ in found]
    labels = labels_of(dimension, keys)
    then: Mapping[str, int] = {}
    if before:
        then = per_key(
            dimension=dimension.name,
            keys=keys,
            period=before,
            audiences=audiences,
            measure=measure,
            site=site,
        )
    return tuple(
        TopRow(
            key,
            labels[key],
            *map(int, sums),
            share=100 * int(sums[0]) / int(total),
            before=then.get(key, 0) if before else None,
        )
        for key, *sums, total, _ in found
    )


def _add(measures: Measures, columns: Iterable[str], values: Iterable[Any]) -> None:
    """Add what a row has in ``columns``: numbers, histograms, sketches."""
    for name, value in zip(columns, values, strict=True):
        if isinstance(value, int):
            setattr(measures, name, getattr(measures, name) + value)
        else:
            getattr(measures, name).merge(value)
