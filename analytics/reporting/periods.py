"""The times that numbers are asked for: whole days of the site's time zone.

Reads a clock and the words of an address; writes nothing. Everything that leaves is
aware UTC, and begins and ends where buckets do.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import get_config
from ..rollup.buckets import Grain, bucket, next_bucket
from ..rollup.dimensions import WITH_MINUTES

ONE_DAY = datetime.timedelta(days=1)
NOON = datetime.time(12)
LONGEST_DAYS = 3_660
HOURLY_DAYS = 2
"""Up to so many days, a series is drawn by the hour."""
RANGES = {
    "today": (1, gettext_lazy("Today")),
    "7": (7, gettext_lazy("7 days")),
    "30": (30, gettext_lazy("30 days")),
    "90": (90, gettext_lazy("90 days")),
}
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

    def previous(self) -> Period:
        """The same number of days before it; for a running one, the same part of them.

        The part ends at the minute, the hour or the day, as rows are still kept.
        """
        length = datetime.timedelta(days=self.days)
        before = replace(
            self, first=self.first - length, last=self.last - length, until=None
        )
        if not self.running:
            return before
        moment = _shifted(self.now, length, self.zone)
        for grain in Grain:
            until = bucket(moment, grain, self.zone)
            cut = replace(before, until=until)
            if grain == Grain.DAY or _is_kept(grain, until, self.now):
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

    def whole_days(self) -> list[Span]:
        """The rows of days alone, for what no series is drawn of."""
        return [Span(Grain.DAY, self.start, self.end)]

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
    return last_days(RANGES[name][0], now)


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
    first: datetime.date, last: datetime.date, now: datetime.datetime
) -> Period:
    """By the hour if it is short, and hours are kept of the period before it, too."""
    zone = get_config().zone
    days = (last - first).days + 1
    oldest = day_start(first - days * ONE_DAY, zone)
    hourly = days <= HOURLY_DAYS and _is_kept(Grain.HOUR, oldest, now)
    return Period(first, last, now, zone, Grain.HOUR if hourly else Grain.DAY)


def _shifted(
    now: datetime.datetime, length: datetime.timedelta, zone: ZoneInfo
) -> datetime.datetime:
    """What the clocks showed some days ago."""
    return (now.astimezone(zone) - length).astimezone(datetime.UTC)


def _is_kept(grain: Grain, since: datetime.datetime, now: datetime.datetime) -> bool:
    """Whether rows of the total are kept that long; an hour is left for pruning."""
    days = WITH_MINUTES[grain]
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
