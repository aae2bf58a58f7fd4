"""The points of a chart: hours, days, or whole weeks and months of days.

Reads the declarations of dimensions and how long their rows are kept; writes nothing.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.utils import timezone
from django.utils.formats import date_format

from ..rollup.buckets import Grain
from ..rollup.dimensions import Dimension
from ..rollup.retention import DaysInForce
from . import chart_rules as rules
from . import periods, queries
from .periods import Period

HOURS_LIMIT = 31
"""Days for which single hours are drawn."""
FORMATS = {"hours": "j M H:i", "days": "j M", "weeks": "j M", "months": "M Y"}


@dataclass(frozen=True, slots=True)
class Axis:
    """The points of a chart: buckets, or weeks and months of them."""

    period: Period
    scale: str
    starts: tuple[datetime.datetime, ...]

    @classmethod
    def of(cls, period: Period, scale: str) -> Axis:
        return cls(period, scale, tuple(_starts(period, scale)))

    def labels(self) -> list[str]:
        starts = (timezone.localtime(start, self.period.zone) for start in self.starts)
        return [date_format(start, FORMATS[self.scale]) for start in starts]

    def place(self, bucket: datetime.datetime) -> int:
        """The number of the point that a bucket belongs to."""
        return bisect_right(self.starts, bucket) - 1

    def values(self, sums: Mapping[int, int]) -> list[int | None]:
        """A value for each point: 0 where nothing was counted, None in the future."""
        return [
            None if start > self.period.now else sums.get(number, 0)
            for number, start in enumerate(self.starts)
        ]


def shown_days(chart: rules.Chart, days: int | None) -> int:
    """As asked, but not beyond what is kept of the model's grain, or can be seen.

    One query for hours: days are always kept for longer than charts reach.
    """
    manager = rules.model_of(chart).objects
    wanted = days or chart.default_time_period
    declared = queries.dimension_of(manager.dimension)
    if manager.grain != Grain.DAY:
        wanted = min(wanted, _kept_days(declared, manager.grain) - 1)
    return min(wanted, HOURS_LIMIT) if chart.default_time_scale == "hours" else wanted


def _kept_days(dimension: Dimension, grain: int) -> int:
    present = DaysInForce().present(dimension.name, dimension.days, timezone.now())
    kept = present.get(Grain(grain), 1)
    return periods.LONGEST_DAYS if kept is None else kept


def axis_of(
    chart: rules.Chart, days: int | None, now: datetime.datetime | None
) -> Axis:
    """Whole weeks and months: the first one begins before the first day."""
    scale = chart.default_time_scale
    period = periods.last_days(shown_days(chart, days), now)
    first = period.first
    if scale == "weeks":
        first -= first.weekday() * periods.ONE_DAY
    elif scale == "months":
        first = first.replace(day=1)
    grain = Grain.HOUR if scale == "hours" else Grain.DAY
    return Axis.of(replace(period, first=first, grain=grain), scale)


def _starts(period: Period, scale: str) -> Iterator[datetime.datetime]:
    for start in period.buckets():
        day = timezone.localtime(start, period.zone)
        if (scale == "weeks" and day.weekday()) or (scale == "months" and day.day > 1):
            continue
        yield start
