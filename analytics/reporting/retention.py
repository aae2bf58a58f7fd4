"""What retention keeps, and what the next prune would delete: counted, not guessed.

Reads rollups, up to a bound, and how long they are kept; writes nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models
from django.db.models import OuterRef, Subquery, Value
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from ..batches import batched
from ..conf import get_config
from ..models import Rollup, Site, Writer
from ..rollup.buckets import Grain
from ..rollup.dimensions import Dimension, get_dimensions
from ..rollup.retention import DaysInForce, limit_of
from ..words import number

LIST_LIMIT = 10_000
"""Up to so many rows of each dimension and grain are counted, for the whole list."""
LIMIT = 100_000
"""The same for one of them."""
UNION_LIMIT = 100
"""So many of them are asked for in one query: SQLite takes 500."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A grain of a dimension, and how long its rows are kept."""

    dimension: Dimension
    grain: Grain
    declared: int | None
    """Days, None for ever, as all of them."""
    days: int | None
    """In force."""

    @property
    def name(self) -> str:
        return f"{self.dimension.label}, {self.grain.label}"

    @property
    def changed(self) -> bool:
        return self.days != self.declared

    @property
    def days_text(self) -> str:
        return days_text(self.days)

    @property
    def declared_text(self) -> str:
        return days_text(self.declared)


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is of a grain of a dimension, and what a prune would take of it."""

    kept: Kept
    rows: int
    oldest: datetime.datetime | None
    """Its oldest bucket, if it has rows."""
    going: int
    going_newest: datetime.datetime | None
    """The newest bucket that would go; the oldest one is ``oldest``."""
    limit: int
    """Nothing was counted beyond it."""

    @property
    def rows_text(self) -> str:
        return self._text(self.rows)

    @property
    def going_text(self) -> str:
        return self._text(self.going)

    @property
    def going_days(self) -> str:
        """The first and the last day of what would go."""
        days = dict.fromkeys(
            f"{timezone.localtime(bucket):%Y-%m-%d}"
            for bucket in (self.oldest, self.going_newest)
            if bucket
        )
        return " – ".join(days)

    def _text(self, rows: int) -> str:
        return number(rows) if rows <= self.limit else f"> {number(self.limit)}"


def days_text(days: int | None) -> str:
    """For people: '90 days', 'for ever'."""
    if days is None:
        return gettext("for ever")
    return ngettext("%d day", "%d days", days) % days


def all_kept() -> list[Kept]:
    """Every dimension and grain, in the order of their declaration. One query."""
    in_force = DaysInForce()
    return [
        Kept(dimension, grain, dimension.days[grain], days)
        for dimension in get_dimensions()
        for grain, days in in_force.of(dimension).items()
    ]


def stocks(
    kept: Sequence[Kept],
    now: datetime.datetime | None = None,
    limit: int = LIST_LIMIT,
) -> list[Stock]:
    """How much there is of each, of all sites together as they are pruned, and what
    would go if pruned ``now``. One query for 100 of them, which looks at no more than
    some ``limit`` index entries of each and site."""
    now = now or timezone.now()
    # One row a site, so that each part of the query has so many, too.
    own = models.Q(pk=get_config().site)
    one = Writer.objects.filter(own | models.Q(pk__in=Site.objects.values("name")))
    found: dict[int, tuple] = {}
    for some in batched(enumerate(kept), UNION_LIMIT):
        first, *rest = (_asked(one, place, each, now, limit) for place, each in some)
        for place, *values in first.union(*rest, all=True):
            found[place] = _together(found.get(place), tuple(values))
    nothing = (0, None, 0, None)
    return [
        Stock(each, *found.get(place, nothing), limit)
        for place, each in enumerate(kept)
    ]


def _together(one: tuple | None, other: tuple) -> tuple:
    """What two sites have of the same: rows, the oldest, what goes, its newest."""
    if one is None:
        return other
    rows, oldest, going, newest = zip(one, other, strict=True)
    return (
        sum(rows),
        min(filter(None, oldest), default=None),
        sum(going),
        max(filter(None, newest), default=None),
    )


def preview(
    kept: Kept, days: int | None, now: datetime.datetime | None = None
) -> Stock:
    """The stock, if its rows were kept for so many days. One query."""
    asked = Kept(kept.dimension, kept.grain, kept.declared, days)
    return stocks([asked], now, LIMIT)[0]


class _CountUpTo(Subquery):
    """How many rows a sliced queryset has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS found)"
    output_field = models.IntegerField()


def _asked(
    one: models.QuerySet[Writer],
    place: int,
    kept: Kept,
    now: datetime.datetime,
    limit: int,
) -> models.QuerySet:
    rows = Rollup.objects.filter(
        site=OuterRef("pk"), dimension=kept.dimension.name, grain=kept.grain
    )
    going = rows.filter(bucket__lt=limit_of(kept.days, now))
    return one.values_list(
        Value(place, output_field=models.IntegerField()),
        _CountUpTo(rows.order_by().values("bucket")[: limit + 1]),
        Subquery(rows.order_by("bucket").values("bucket")[:1]),
        _CountUpTo(going.order_by().values("bucket")[: limit + 1]),
        Subquery(going.order_by("-bucket").values("bucket")[:1]),
    )
