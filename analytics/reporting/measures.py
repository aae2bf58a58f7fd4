"""What is measured, and the values that the query module answers with.

Reads the settings, for how long a visitor is recognised; queries nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..conf import get_config
from ..rollup.dimensions import Dimension, Label
from ..rollup.fold import Measures
from ..rollup.sketches import Histogram
from ..words import number
from .periods import Period

User = AbstractUser | AnonymousUser
SUMS = ("requests", "views", "errors", "bytes", "duration")
SUM_LABELS = {
    "requests": _("Requests"),
    "views": _("Views"),
    "errors": _("Errors"),
    "bytes": _("Bytes"),
    "duration": _("Duration"),
}
RANKS = (50, 75, 90, 95, 99)
"""The percentiles that are shown."""
COMPARED = (
    "requests",
    "views",
    "errors",
    "bytes",
    "visitors",
    "error_rate",
    "p50",
    "p95",
)
"""Of `Totals` what grows and shrinks."""


class UnknownName(ValueError):
    """A dimension or measure that does not exist, in a sentence."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The measures of a period."""

    requests: int
    views: int
    errors: int
    bytes: int
    visitors: int | None
    """Different visitors; an estimate above 768. None where they are not kept."""
    latency: Histogram | None
    """How long the requests took of which that is known. None where that is not
    kept."""

    @property
    def error_rate(self) -> float | None:
        """Errors in percent of the requests, None without any."""
        return error_rate(self)

    @property
    def p50(self) -> float | None:
        """Microseconds that half of the requests stayed within, of which the
        duration is known; None without any."""
        return self.latency and self.latency.percentile(50)

    @property
    def p95(self) -> float | None:
        return self.latency and self.latency.percentile(95)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period beside another one."""

    now: Totals
    then: Totals
    changes: Mapping[str, float | None]
    """Of each of ``COMPARED``: by how many percent it grew; None from nothing, and of
    what is not kept."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a series can be drawn of."""

    columns: tuple[str, ...]
    """What it is made from."""
    value: Callable[[Measures], float | None]
    unit: str = ""


def error_rate(found: Measures | Totals) -> float | None:
    """Errors in percent of the requests, None without any."""
    return 100 * found.errors / found.requests if found.requests else None


MEASURES = {
    "views": Measure(("views",), attrgetter("views")),
    "visitors": Measure(("visitors",), lambda found: found.visitors.estimate()),
    "requests": Measure(("requests",), attrgetter("requests")),
    "errors": Measure(("errors",), attrgetter("errors")),
    "error_rate": Measure(("requests", "errors"), error_rate, "%"),
    "p95": Measure(("latency",), lambda found: found.latency.percentile(95), "µs"),
}


@dataclass(frozen=True, slots=True)
class TopRow:
    """One key of a dimension, and how much of the whole it is."""

    key: str
    label: Label
    value: int
    views: int
    requests: int
    errors: int
    share: float
    """Percent of the dimension's sum over all keys."""
    before: int | None = None
    """The sum in the period it is compared with, if one was asked for."""

    def for_user(self, user: User) -> TopRow:
        """Without a link that leads where the user may not go."""
        return replace(self, label=self.label.seen_by(user))

    @property
    def text(self) -> str:
        return number(self.value)

    @property
    def views_text(self) -> str:
        return number(self.views)

    @property
    def requests_text(self) -> str:
        return number(self.requests)

    @property
    def errors_text(self) -> str:
        return number(self.errors)


@dataclass(frozen=True, slots=True)
class Top:
    """The largest keys of a dimension."""

    dimension: Dimension
    measure: str
    rows: tuple[TopRow, ...]
    total: int
    """The sum over all keys, those not listed included; 0 where none is listed, as of
    a search that finds nothing."""
    found: int
    """How many keys there are, or a search has found."""

    @property
    def query(self) -> str:
        """Its word in an address."""
        return "?" + urlencode({"dimension": self.dimension.name})

    @property
    def others(self) -> int:
        return self.total - sum(row.value for row in self.rows)

    @property
    def others_text(self) -> str:
        return number(self.others)

    @property
    def measure_label(self) -> Promise:
        return SUM_LABELS[self.measure]


def percentiles_of(
    latency: Histogram, ranks: Iterable[float] = RANKS
) -> dict[float, float | None]:
    """Rank (0 to 100) -> microseconds, within 2 %; None if no duration is known."""
    return {rank: latency.percentile(rank) for rank in ranks}


def visitors_label(period: Period) -> Promise:
    """What the visitors of a period are: where a visitor gets another number each day
    or month (of UTC), who comes in two of them is counted twice."""
    last = period.end - datetime.timedelta(microseconds=1)
    first, last = (moment.astimezone(datetime.UTC) for moment in (period.start, last))
    recognised = get_config().visitor_period
    if recognised == "day" and first.date() != last.date():
        return _("Daily visitors")
    months = {(moment.year, moment.month) for moment in (first, last)}
    if recognised == "month" and len(months) > 1:
        return _("Monthly visitors")
    return _("Visitors")
