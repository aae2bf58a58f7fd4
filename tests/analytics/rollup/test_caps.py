"""A day's cap: below it every key in any order, above it ``(other)`` makes up the rest.

Random keys, hosts and countries in random batches and orders, on the days on which
clocks change; compared with a naive count of each key.
"""

import datetime
import random
from collections import Counter
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.models import Rollup
from analytics.reporting import periods, queries
from analytics.rollup import direct
from analytics.rollup.buckets import Grain, bucket_epoch
from analytics.rollup.dimensions import OTHER, get_dimensions
from analytics.rollup.direct import count_events
from tests.analytics.recording.events import event

pytestmark = pytest.mark.django_db

EVERYONE = (0, 1, 2)
CAP = 5
CAPPED = ("route", "host", "country", "referrer", "route_status")
PLACES = [
    ("Europe/Berlin", "2026-10-25", 25),
    ("Europe/Berlin", "2026-03-29", 23),
    ("America/New_York", "2026-11-01", 25),
    ("Asia/Kolkata", "2026-10-25", 24),
    ("Asia/Kathmandu", "2026-10-25", 24),
]
COUNTRIES = ("AT", "DE", "JP", "IN", "NP", "US", "FR", "BR")
NAMES = st.tuples(st.integers(0, 8), st.integers(0, 71 * 3_600), st.booleans())
examples = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def requests(start: datetime.datetime, names):
    """Of each (key, seconds, raised) a request."""
    return [
        event(
            time=int((start.timestamp() + seconds) * 1000),
            route=f"/{number}/",
            host=f"{number}.example.org",
            country=(*COUNTRIES, "")[number],
            referrer=f"{number}.example.com",
            status=500 if raised else 200,
            exception="KeyError" if raised else "",
            bytes=seconds,
            duration=seconds + 1,
            visitor=number + 1,
        )
        for number, seconds, raised in names
    ]


def count_in_batches(events, seed: int) -> None:
    dice = random.Random(seed)
    events = dice.sample(events, len(events))
    while events:
        size = dice.randrange(1, 12)
        count_events(events[:size], "(test)")
        events = events[size:]


@pytest.fixture
def capped(monkeypatch):
    """The dimensions, of which some have room for five keys a day."""
    small = [
        replace(one, cap=CAP) if one.name in CAPPED else one for one in get_dimensions()
    ]
    monkeypatch.setattr(direct, "dimensions_of", lambda site: small)
    return [one for one in small if one.name in CAPPED]


def stored(dimension: str, grain: Grain, zone: ZoneInfo):
    """(day, key) -> the sums of all its rows of a grain."""
    found: dict[tuple[int, str], Counter[str]] = {}
    for row in Rollup.objects.filter(dimension=dimension, grain=grain):
        day = bucket_epoch(int(row.bucket.timestamp()), Grain.DAY, zone)
        sums = {name: getattr(row, name) for name in queries.SUMS}
        found.setdefault((day, row.key), Counter()).update(sums)
    return found


def naive(dimension, events, zone: ZoneInfo):
    """The same, of every key, whatever the cap."""
    found: dict[tuple[int, str], Counter[str]] = {}
    for one in events:
        if (key := dimension.key(one)) is None:
            continue
        day = bucket_epoch(one.time // 1000, Grain.DAY, zone)
        found.setdefault((day, key), Counter()).update(
            requests=1,
            views=int(one.page),
            errors=int(one.status >= 500),
            bytes=one.bytes,
            duration=one.duration,
        )
    return found


def assert_capped(dimension, events, zone: ZoneInfo) -> None:
    days, wanted = (
        stored(dimension.name, Grain.DAY, zone),
        naive(dimension, events, zone),
    )
    for day in {day for day, _ in wanted}:
        keys = {key: sums for (at, key), sums in days.items() if at == day}
        truth = {key: sums for (at, key), sums in wanted.items() if at == day}
        other = keys.pop(OTHER, Counter())
        assert len(keys) == min(len(truth), CAP)
        # Whoever was let in was so from its first request on.
        assert keys == {key: truth[key] for key in keys}
        assert sum(keys.values(), other) == sum(truth.values(), Counter())
    assert stored(dimension.name, Grain.HOUR, zone) == days


@pytest.mark.parametrize(("zone", "day", "hours"), PLACES)
def test_keys_and_other_are_the_total_in_any_order(
    site, monkeypatch, capped, zone, day, hours
):
    site.TIME_ZONE = zone
    zone = ZoneInfo(zone)
    date = datetime.date.fromisoformat(day)
    start = periods.day_start(date, zone) - datetime.timedelta(days=1)
    now = start + datetime.timedelta(days=4)
    monkeypatch.setattr(timezone, "now", lambda: now)

    @examples
    @given(st.lists(NAMES, min_size=1, max_size=60), st.integers(0, 10**6))
    def agree(names, seed):
        with transaction.atomic():
            events = requests(start, names)
            count_in_batches(events, seed)
            for dimension in capped:
                assert_capped(dimension, events, zone)
                assert_asked(dimension, events, periods.between(date, date, now), hours)
            transaction.set_rollback(True)

    agree()


def assert_asked(dimension, events, period, hours: int) -> None:
    """The same by the questions that pages ask: of a day, and of each of its hours."""
    some = [
        one
        for one in events
        if period.start.timestamp() <= one.time / 1000 < period.end.timestamp()
        and dimension.key(one) is not None
    ]
    question = {"period": period, "audiences": EVERYONE, "measure": "requests"}
    found = queries.top(dimension=dimension.name, limit=CAP + 1, **question)
    listed = {row.key: row.value for row in found.rows}
    assert found.total == len(some)
    assert found.others == len(some) - sum(listed.values())
    for key, value in [*listed.items(), (OTHER, found.others)]:
        series = queries.series(dimension=dimension.name, key=key, **question)
        assert len(series.values) == hours
        assert sum(filter(None, series.values)) == value
