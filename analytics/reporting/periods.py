"""The times that numbers are asked for: whole days of the site's time zone.

Reads a clock, the words of an address, and how long rows are kept; writes nothing.
Everything that leaves is aware UTC, and begins and ends where buckets do.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..conf import get_config
from ..rollup.buckets import Grain, bucket, next_bucket
from ..rollup.dimensions import WITH_MINUTES, Dimension
from ..rollup.retention import Days, DaysInForce

ONE_DAY = datetime.timedelta(days=1)
NOON = datetime.time(12)
LONGEST_DAYS = 3_660
HOURLY_DAYS = 2
"""Up to so many days, a series is drawn by the hour."""
RANGES = {
    "today": gettext_lazy("Today"),
    "yesterday": gettext_lazy("Yesterday"),
    "7": gettext_lazy("7 days"),
    "30": gettext_lazy("30 days"),
    "90": gettext_lazy("90 days"),
    "month": gettext_lazy("This month"),
    "last-month": gettext_lazy("Last month"),
    "quarter": gettext_lazy("This quarter"),
    "year": gettext_lazy("This year"),
}
COMPARISONS = {
    "before": gettext_lazy("the time before"),
    "weekdays": gettext_lazy("the same weekdays before"),
    "year": gettext_lazy("a year before"),
}
"""What a period may be compared with."""
DEFAULT = "30"


class BadPeriod(ValueError):
    """Words that name no period, and what would, in a sentence."""


class Span(NamedTuple):
    """A stretch of time, and the grain whose rows make it up."""

    grain: Grain
    start: datetime.datetime
    end: datetime.datetime


@dataclass(frozen=True, slots=True)
class Period:
    """Some whole days, the last of which may still be running."""

    first: datetime.date
    last: datetime.date
    now: datetime.datetime
    zone: ZoneInfo
    grain: Grain
    """What its series is made of."""
    until: datetime.datetime | None = None
    """Where it is cut, when it is compared with one that is still running."""
    months: int = 0
    """How many calendar months it is a part of; 0 where it is just some days."""
    retention: DaysInForce = field(
        default_factory=DaysInForce, compare=False, repr=False
    )
    """How long rows are kept, asked in one query for it and those made from it."""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime.datetime:
        return day_start(self.first, self.zone)

    @property
    def end(self) -> datetime.datetime:
        """Exclusive; in the future if it is running."""
        return self.until or day_start(self.last + ONE_DAY, self.zone)

    @property
    def running(self) -> bool:
        return self.start <= self.now < self.end

    def buckets(self) -> tuple[datetime.datetime, ...]:
        """The starts of the series' buckets."""
        return tuple(_buckets(self.start, self.end, self.grain, self.zone))

    def previous(self, comparison: str = "before") -> Period:
        """What it is compared with; for a running one, the same part of it.

        The part ends at the minute, the hour or the day, as rows are still kept.
        """
        shift = _SHIFTS[comparison]
        first, last = shift(self, self.first), shift(self, self.last)
        before = replace(self, first=first, last=max(first, last), until=None)
        if not self.running:
            return before
        for grain in Grain:
            until = bucket(_clocks(self.now, last, self.zone), grain, self.zone)
            cut = replace(before, until=until)
            if self._kept(grain, _days_of_total(self), until):
                return cut
        return before

    @property
    def part(self) -> str:
        """For people: where it is cut, if it is."""
        if self.until is None:
            return ""
        if self.until == day_start(self.last, self.zone):
            return _("without its last day")
        return _("its last day up to %s") % f"{self.until.astimezone(self.zone):%H:%M}"

    def place(self) -> int:
        """The number of the bucket that runs now."""
        return bisect_right(self.buckets(), self.now) - 1

    def spans(self) -> list[Span]:
        """The coarsest rows that make up its series, and so the period, to the unit."""
        return list(_spans(self.start, self.end, self.grain, self.zone))

    def of_dimension(self, dimension: Dimension) -> Period:
        """The same for the rows that are kept of a dimension: see `of_rows`."""
        return self.of_rows(self._present(dimension))

    def of_rows(self, days: Days) -> Period:
        """The same for rows that are there so many days back by grain, None from the
        beginning: with coarser buckets, and cut earlier, where there are no finer."""
        grain = self.grain if self._kept(self.grain, days, self.start) else Grain.DAY
        until = self.until
        if until:
            kept = (g for g in Grain if self._kept(g, days, until))
            until = bucket(until, next(kept, Grain.DAY), self.zone)
        return replace(self, grain=grain, until=until)

    def note(self, dimension: Dimension) -> str:
        """What the rows that are kept of a dimension cannot tell, in sentences."""
        days = self._present(dimension)
        notes = list(filter(None, (note(self, days) for note in _NOTES)))
        if notes and days != self.retention.of(dimension):
            notes.append(
                _("Rows are to be kept for longer now; those deleted before stay gone.")
            )
        return " ".join(notes)

    def _present(self, dimension: Dimension) -> Days:
        return self.retention.present(dimension.name, dimension.days, self.now)

    def _kept(self, grain: Grain, days: Days, since: datetime.datetime) -> bool:
        return grain in days and _is_kept(days[grain], since, self.now)

    def __str__(self) -> str:
        """For people: '21 Nov 2026', '1 – 21 Nov 2026'."""
        last = f"{self.last.day} {self.last:%b %Y}"
        if self.first == self.last:
            return last
        first = str(self.first.day)
        if (self.first.year, self.first.month) != (self.last.year, self.last.month):
            first += f" {self.first:%b}"
        if self.first.year != self.last.year:
            first += f" {self.first.year}"
        return f"{first} – {last}"


def last_days(days: int, now: datetime.datetime | None = None) -> Period:
    """The last ``days`` days, today included."""
    now, today = _clock(now)
    return _period(today - (days - 1) * ONE_DAY, today, now)


def between(
    first: datetime.date, last: datetime.date, now: datetime.datetime | None = None
) -> Period:
    """From one day to another, both included; not beyond today."""
    now, today = _clock(now)
    if first > last:
        raise BadPeriod(_("The first day lies behind the last one."))
    if first > today:
        raise BadPeriod(_("The first day lies in the future."))
    if (last - first).days >= LONGEST_DAYS:
        raise BadPeriod(_("A period has at most %d days.") % LONGEST_DAYS)
    return _period(first, min(last, today), now)


def parse(words: Mapping[str, str], now: datetime.datetime | None = None) -> Period:
    """The period that an address asks for: ``range``, or ``from`` and ``to``.

    Raises `BadPeriod`.
    """
    if words.get("from") or words.get("to"):
        first, last = _date(words.get("from", "")), _date(words.get("to", ""))
        return between(first, last, now)
    name = words.get("range") or DEFAULT
    if name not in RANGES:
        names = ", ".join(RANGES)
        raise BadPeriod(_("A range is one of %s, or from and to.") % names)
    return named(name, now)


def named(name: str, now: datetime.datetime | None = None) -> Period:
    """One of ``RANGES``; a month, quarter or year that runs ends today."""
    now, today = _clock(now)
    if name == "last-month":
        last = today.replace(day=1) - ONE_DAY
        return _period(last.replace(day=1), last, now, months=1)
    months = {"month": 1, "quarter": 3, "year": 12}.get(name)
    if months:
        first = today.replace(month=(today.month - 1) // months * months + 1, day=1)
        return _period(first, today, now, months)
    if name == "yesterday":
        return _period(today - ONE_DAY, today - ONE_DAY, now)
    return last_days(1 if name == "today" else int(name), now)


def day_start(day: datetime.date, zone: ZoneInfo) -> datetime.datetime:
    """When a day begins: noon is shown by the clocks of (nearly) every day."""
    noon = datetime.datetime.combine(day, NOON, zone)
    return bucket(noon.astimezone(datetime.UTC), Grain.DAY, zone)


def _date(text: str) -> datetime.date:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise BadPeriod(_("Give both days as YYYY-MM-DD.")) from None
    # Room for a period before it, and for the start of the day after it.
    if not 1980 <= day.year <= 9000:
        raise BadPeriod(_("That year is too far away."))
    return day


def _clock(
    now: datetime.datetime | None,
) -> tuple[datetime.datetime, datetime.date]:
    now = now or timezone.now()
    return now, now.astimezone(get_config().zone).date()


def _period(
    first: datetime.date, last: datetime.date, now: datetime.datetime, months: int = 0
) -> Period:
    """By the hour if it is short, and hours are kept of the period before it, too."""
    zone = get_config().zone
    days = (last - first).days + 1
    oldest = day_start(first - days * ONE_DAY, zone)
    period = Period(first, last, now, zone, Grain.DAY, months=months)
    if days > HOURLY_DAYS:
        return period
    kept = _days_of_total(period)[Grain.HOUR]
    return replace(period, grain=Grain.HOUR) if _is_kept(kept, oldest, now) else period


def _days_of_total(period: Period) -> Days:
    return period.retention.present("total", WITH_MINUTES, period.now)


def _note_of_days(period: Period, days: Days) -> str:
    """Whole days are gone."""
    kept = days[Grain.DAY]
    if _is_kept(kept, period.start, period.now):
        return ""
    return _("Days are kept for %(kept)s: of %(period)s, some or all are gone.") % {
        "kept": _some_days(kept),
        "period": period,
    }


def _note_of_hours(period: Period, days: Days) -> str:
    """A short series has the buckets of a long one."""
    if period.days > HOURLY_DAYS or period.of_rows(days).grain != Grain.DAY:
        return ""
    return _("Hours are kept for %(kept)s: %(period)s is shown by the day.") % {
        "kept": _some_days(days.get(Grain.HOUR, 0)),
        "period": period,
    }


def _note_of_the_end(period: Period, days: Days) -> str:
    """The part that a running period is compared with ends hours too early; that it
    ends with an hour is what `Period.part` says."""
    until = period.of_rows(days).until
    wanted = _clocks(period.now, period.last, period.zone)
    if until is None or until >= bucket(wanted, Grain.HOUR, period.zone):
        return ""
    shown = until.astimezone(period.zone)
    return _("%(period)s is taken up to %(time)s: finer rows are not kept.") % {
        "period": period,
        "time": f"{shown.day} {shown:%b %H:%M}",
    }


_NOTES = (_note_of_days, _note_of_hours, _note_of_the_end)


def _some_days(days: int | None) -> str:
    return _("no time") if not days else ngettext("%d day", "%d days", days) % days


def _days_before(period: Period, day: datetime.date) -> datetime.date:
    if period.months:
        return _months_before(period, day, period.months)
    return day - period.days * ONE_DAY


def _weeks_before(period: Period, day: datetime.date) -> datetime.date:
    """By as many whole weeks as the period touches."""
    return day - -(-period.days // 7) * 7 * ONE_DAY


def _year_before(period: Period, day: datetime.date) -> datetime.date:
    return _months_before(period, day, 12)


def _months_before(period: Period, day: datetime.date, months: int) -> datetime.date:
    """The same day of an earlier month, or its last; the end of whole months that are
    over is compared with the end of others."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    length = monthrange(year, month + 1)[1]
    whole = period.first.day == 1 and not period.running
    ends = whole and (day + ONE_DAY).day == 1
    return datetime.date(year, month + 1, length if ends else min(day.day, length))


_SHIFTS: Mapping[str, Callable[[Period, datetime.date], datetime.date]] = {
    "before": _days_before,
    "weekdays": _weeks_before,
    "year": _year_before,
}


def _clocks(
    now: datetime.datetime, day: datetime.date, zone: ZoneInfo
) -> datetime.datetime:
    """When the clocks of another day showed what they show now."""
    shown = datetime.datetime.combine(day, now.astimezone(zone).time(), zone)
    return shown.astimezone(datetime.UTC)


def _is_kept(
    days: int | None, since: datetime.datetime, now: datetime.datetime
) -> bool:
    """Whether rows that are kept so long still are; an hour is left for pruning."""
    margin = datetime.timedelta(hours=1)
    return days is None or now - since < days * ONE_DAY - margin


def _buckets(
    start: datetime.datetime, end: datetime.datetime, grain: Grain, zone: ZoneInfo
) -> Iterator[datetime.datetime]:
    while start < end:
        yield start
        start = next_bucket(start, grain, zone)


def _spans(
    start: datetime.datetime, end: datetime.datetime, coarsest: Grain, zone: ZoneInfo
) -> Iterator[Span]:
    """From ``start``, where a day begins: days, then hours, then minutes."""
    for grain in range(coarsest, -1, -1):
        stop = bucket(end, Grain(grain), zone)
        if start < stop:
            yield Span(Grain(grain), start, stop)
            start = stop
