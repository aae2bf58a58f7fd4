"""What happens when in the demo: days, growth, campaigns, and what goes wrong.

Reads the rules of a time zone; writes nothing. What a day holds follows from the seed
and the day's number alone, so that one day can be made without those before it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from analytics.rollup.buckets import Grain, bucket, next_bucket

ONE_DAY = datetime.timedelta(days=1)
NOON = datetime.time(12)
WEEK = (1.08, 1.1, 1.06, 1.04, 0.95, 0.68, 0.82)
"""How busy the days of the week are, from Monday."""
GROWTH = (0.75, 1.3)
"""How busy the first day is, and the last."""
NOISE = 0.045
"""Deviation of a day from what the calendar says."""
WEATHER = 10**6
SLOT = 900
"""Seconds for which visits are equally likely."""
DEPLOY_HOURS = (14, 16)
"""When, by the clock, the bad version was out."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """Some days of more visits, from one place to some products."""

    begins: float
    """The part of the time that had passed."""
    extra: tuple[float, ...]
    """Additional visits on each day, as a part of the usual ones."""
    referrer: str
    products: tuple[str, ...]


CAMPAIGNS = (
    Campaign(
        0.28, (0.9, 0.5, 0.2), "newsletter.example.org", ("Wool Throw, Moss", "Quilt")
    ),
    Campaign(0.6, (1.2, 0.8, 0.4, 0.2), "social.example.com", ("Desk Lamp, Brass",)),
    Campaign(
        0.86,
        (0.7, 0.6, 0.4),
        "newsletter.example.org",
        ("Oak Shelf, 60 cm", "Hand Towel, Sand"),
    ),
)
BAD_DEPLOY, SCAN, SOLD_OUT, SLOW = 0.45, 0.52, 0.67, 0.75
"""When a version broke the product page, a scanner came, a hit was sold out, and the
database was slow: the part of the time that had passed."""
WITHDRAWAL = 0.4


@dataclass(frozen=True, slots=True)
class Day:
    """One whole day of the site's clocks; it may have 23 or 25 hours."""

    number: int
    start: datetime.datetime
    end: datetime.datetime
    zone: ZoneInfo

    @property
    def date(self) -> datetime.date:
        return self.start.astimezone(self.zone).date()

    def slots(self) -> tuple[np.ndarray, np.ndarray]:
        """Starts of its quarters of an hour in epoch seconds, hours by the clock."""
        first, end = int(self.start.timestamp()), int(self.end.timestamp())
        starts = np.arange(first, end, SLOT)
        clocks = [datetime.datetime.fromtimestamp(s, self.zone) for s in starts]
        return starts, np.array([c.hour + c.minute / 60 for c in clocks])

    def hours(self, first: int, last: int) -> tuple[int, int]:
        """From one hour by the clock to another, in milliseconds since 1970."""
        starts, hours = self.slots()
        inside = starts[(hours >= first) & (hours < last)]
        return int(inside.min()) * 1000, int(inside.max() + SLOT) * 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides what the demo's traffic is, but for the products."""

    seed: int
    visits: int
    """Visits of people on an average day."""
    days: tuple[Day, ...]

    def dice(self, number: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, number))

    def at(self, part: float) -> int:
        """The number of the day on which ``part`` of the time has passed."""
        return int(part * len(self.days))

    @property
    def bad_deploy(self) -> int:
        """The number of the day of the bad version: nobody deploys at the weekend."""
        number = self.at(BAD_DEPLOY)
        later = [d.number for d in self.days[number:] if d.date.weekday() < 5]
        return later[0] if later else number

    def visits_on(self, number: int) -> int:
        """Usual visits of a day, campaigns aside; also of days before the first."""
        first, last = GROWTH
        growth = first + (last - first) * max(number, 0) / len(self.days)
        weekday = (self.days[0].date + number * ONE_DAY).weekday()
        # Seeds are not negative, days before the first one are.
        weather = np.random.default_rng((self.seed, number + WEATHER)).normal(1, NOISE)
        return max(1, round(self.visits * growth * WEEK[weekday] * weather))

    def campaigns_on(self, number: int) -> Iterator[tuple[Campaign, float]]:
        """The campaigns that run, and their additional visits as a part."""
        for campaign in CAMPAIGNS:
            age = number - self.at(campaign.begins)
            if 0 <= age < len(campaign.extra):
                yield campaign, campaign.extra[age]


def whole_days(last: datetime.date, count: int, zone: ZoneInfo) -> tuple[Day, ...]:
    """The ``count`` days up to ``last``, which is included."""
    starts = [_start(last - age * ONE_DAY, zone) for age in range(count - 1, -1, -1)]
    # A date that the clocks never showed has no noon of its own.
    return tuple(
        Day(number, start, next_bucket(start, Grain.DAY, zone), zone)
        for number, start in enumerate(dict.fromkeys(starts))
    )


def _start(date: datetime.date, zone: ZoneInfo) -> datetime.datetime:
    noon = datetime.datetime.combine(date, NOON, zone)
    return bucket(noon.astimezone(datetime.UTC), Grain.DAY, zone)
