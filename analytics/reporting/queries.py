"""The numbers: every one that is shown, drawn or exported is asked for here.

Reads rollup rows, and the labels that dimensions give to their keys; writes nothing,
and asks Redis nothing. Each function runs the number of SQL queries it names, however
long the period is.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import attrgetter, or_
from typing import Any

from django.db import connection
from django.db.models import Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..conf import get_config
from ..models import Audience, Rollup
from ..rollup.dimensions import OTHER, Dimension, Label, get_dimensions
from ..rollup.fold import Measures
from ..rollup.sketches import Visitors
from ..words import number
from .periods import Period, Span

PEOPLE = (Audience.PEOPLE,)
SUMS = ("requests", "views", "errors", "bytes", "duration")
SUM_LABELS = {
    "requests": _("Requests"),
    "views": _("Views"),
    "errors": _("Errors"),
    "bytes": _("Bytes"),
    "duration": _("Duration"),
}


class UnknownName(ValueError):
    """A dimension or measure that does not exist, in a sentence."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The measures of a period."""

    requests: int
    views: int
    errors: int
    bytes: int
    visitors: int
    """Different visitors; an estimate above 768."""
    p50: float | None
    """Microseconds that half of the requests stayed within, None without any."""
    p95: float | None
    error_rate: float | None
    """Errors in percent of the requests, None without any."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a series can be drawn of."""

    columns: tuple[str, ...]
    """What it is made from."""
    value: Callable[[Measures], float | None]
    unit: str = ""


def _error_rate(found: Measures) -> float | None:
    return 100 * found.errors / found.requests if found.requests else None


MEASURES = {
    "views": Measure(("views",), attrgetter("views")),
    "visitors": Measure(("visitors",), lambda found: found.visitors.estimate()),
    "requests": Measure(("requests",), attrgetter("requests")),
    "errors": Measure(("errors",), attrgetter("errors")),
    "error_rate": Measure(("requests", "errors"), _error_rate, "%"),
    "p95": Measure(("latency",), lambda found: found.latency.percentile(95), "µs"),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One measure of each bucket of a period."""

    period: Period
    measure: str
    buckets: tuple[datetime.datetime, ...]
    """The starts of its buckets."""
    values: tuple[float | None, ...]
    """One for each bucket: 0 where nothing was counted (for a rate or a percentile
    None, there is none of nothing), None where the future is."""


@dataclass(frozen=True, slots=True)
class TopRow:
    """One key of a dimension, and how much of the whole it is."""

    key: str
    label: Label
    value: int
    requests: int
    errors: int
    share: float
    """Percent of the dimension's sum over all keys."""

    @property
    def text(self) -> str:
        return number(self.value)


@dataclass(frozen=True, slots=True)
class Top:
    """The largest keys of a dimension."""

    dimension: Dimension
    measure: str
    rows: tuple[TopRow, ...]
    total: int
    """The sum over all keys, those not listed included."""

    @property
    def others(self) -> int:
        return self.total - sum(row.value for row in self.rows)

    @property
    def others_text(self) -> str:
        return number(self.others)

    @property
    def measure_label(self) -> Promise:
        return SUM_LABELS[self.measure]


def series(
    *,
    period: Period,
    measure: str,
    audiences: Collection[int] = PEOPLE,
    dimension: str = "total",
    key: str = "",
    site: str | None = None,
) -> Series:
    """One of ``MEASURES`` of ``key`` in each bucket of ``period``. One query."""
    if measure not in MEASURES:
        raise UnknownName(f"There is no measure {measure!r}.")
    buckets = period.buckets()
    found = [Measures() for _ in buckets]
    columns = MEASURES[measure].columns
    where = _where(site, dimension, period.spans(), audiences)
    rows = Rollup.objects.filter(where, key=key).order_by()
    for bucket, *values in rows.values_list("bucket", *columns):
        _add(found[bisect_right(buckets, bucket) - 1], columns, values)
    value = MEASURES[measure].value
    return Series(
        period,
        measure,
        buckets,
        tuple(
            None if start > period.now else value(one)
            for start, one in zip(buckets, found, strict=True)
        ),
    )


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
    columns = ("requests", "views", "errors", "bytes", "latency")
    where = _where(site, dimension, period.spans(), audiences)
    rows = Rollup.objects.filter(where, key=key).order_by()
    for visitors, *values in rows.values_list("visitors", *columns):
        _add(whole, columns, values)
        sketches.append(visitors)
    return Totals(
        requests=whole.requests,
        views=whole.views,
        errors=whole.errors,
        bytes=whole.bytes,
        visitors=Visitors.union(sketches).estimate(),
        error_rate=_error_rate(whole),
        p50=whole.latency.percentile(50),
        p95=whole.latency.percentile(95),
    )


def top(
    *,
    dimension: str,
    period: Period,
    audiences: Collection[int] = PEOPLE,
    measure: str = "views",
    limit: int = 10,
    site: str | None = None,
) -> Top:
    """The ``limit`` largest keys by a sum, ties in the order of their keys.

    One query, and those of the dimension's labels. ``(other)`` is never listed.
    """
    declared = dimension_of(dimension)
    if measure not in SUMS:
        raise UnknownName(f"There is no sum {measure!r}.")
    found = _top_rows(declared.name, period, audiences, measure, limit, site)
    labels = labels_of(declared, [key for key, *_ in found])
    total = int(found[0][-1]) if found else 0
    return Top(
        declared,
        measure,
        tuple(
            TopRow(key, labels[key], value, requests, errors, 100 * value / total)
            for key, value, requests, errors in (
                (key, *map(int, sums)) for key, *sums, _ in found
            )
            if key != OTHER and value
        ),
        total,
    )


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
    where = _where(site, dimension, period.whole_days(), audiences)
    rows = Rollup.objects.filter(where, key__in=list(keys)).order_by()
    return dict(rows.values("key").annotate(n=Sum(measure)).values_list("key", "n"))


def dimension_of(name: str) -> Dimension:
    """The declaration of a dimension; raises `UnknownName`."""
    for dimension in get_dimensions():
        if dimension.name == name:
            return dimension
    raise UnknownName(f"There is no dimension {name!r}.")


def labels_of(dimension: Dimension, keys: Sequence[str]) -> Mapping[str, Label]:
    """A label for each key: its own text where the dimension knows none."""
    labels = {key: Label(key) for key in keys}
    if dimension.describe and keys:
        labels |= dimension.describe(keys)
    return labels


def _where(
    site: str | None,
    dimension: str,
    spans: Iterable[Span],
    audiences: Collection[int],
) -> Q:
    times = reduce(
        or_,
        (Q(grain=g, bucket__gte=start, bucket__lt=end) for g, start, end in spans),
        Q(pk__in=()),
    )
    site = site or get_config().site
    return times & Q(site=site, dimension=dimension, audience__in=audiences)


def _add(measures: Measures, columns: Iterable[str], values: Iterable[Any]) -> None:
    """Add what a row has in ``columns``: numbers, histograms, sketches."""
    for name, value in zip(columns, values, strict=True):
        if isinstance(value, int):
            setattr(measures, name, getattr(measures, name) + value)
        else:
            getattr(measures, name).merge(value)


def _top_rows(
    dimension: str,
    period: Period,
    audiences: Collection[int],
    measure: str,
    limit: int,
    site: str | None,
) -> list[tuple[Any, ...]]:
    """(key, sum, requests, errors, sum over all keys), the largest sums first.

    The window over the groups saves a second look at all the rows.
    """
    ((grain, start, end),) = period.whole_days()
    adapt = connection.ops.adapt_datetimefield_value
    marks = ", ".join(["%s"] * len(audiences))
    name, table, key = map(
        connection.ops.quote_name, (measure, Rollup._meta.db_table, "key")
    )
    # Put together from names of our own; what comes from outside is a value.
    query = (
        f"SELECT {key}, SUM({name}), SUM(requests), SUM(errors), "  # noqa: S608
        f"SUM(SUM({name})) OVER () FROM {table} WHERE site = %s AND dimension = %s "
        "AND grain = %s AND bucket >= %s AND bucket < %s "
        f"AND audience IN ({marks}) GROUP BY {key} "
        f"ORDER BY CASE WHEN {key} = %s THEN 1 ELSE 0 END, 2 DESC, 1 LIMIT %s"
    )
    values = [site or get_config().site, dimension, grain, adapt(start), adapt(end)]
    with connection.cursor() as cursor:
        cursor.execute(query, [*values, *audiences, OTHER, limit])
        return cursor.fetchall()
