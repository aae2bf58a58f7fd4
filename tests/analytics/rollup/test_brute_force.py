"""The tables, whatever the batches and their order, are what a naive count gives."""

import datetime
import random
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from analytics.models import Rollup
from analytics.reporting import periods, queries
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import BUILT_IN
from analytics.rollup.direct import count_events
from tests.analytics.recording.events import event
from tests.analytics.rollup.test_fold import naive

pytestmark = pytest.mark.django_db

AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.5.0",
)
# Days of 25 and of 23 hours where there are such, and plain ones.
PLACES = [
    ("Europe/Berlin", "2026-10-25"),
    ("Europe/Berlin", "2026-03-29"),
    ("America/New_York", "2026-11-01"),
    ("Asia/Kolkata", "2026-10-25"),
    ("Asia/Kathmandu", "2026-10-25"),
]


def traffic(seed: int, start: datetime.datetime, count: int = 150):
    dice = random.Random(seed)

    def one():
        moment = start + datetime.timedelta(seconds=dice.uniform(-90_000, 180_000))
        status = dice.choice((200, 200, 304, 404, 500))
        return event(
            time=int(moment.timestamp() * 1000),
            method=dice.choice(("GET", "POST", "BREW")),
            route=dice.choice(("", "/a/", "/b/")),
            status=status,
            duration=dice.randrange(10**6),
            bytes=dice.randrange(10**5),
            exception=dice.choice(("", "", "KeyError")),
            user=dice.choice(("", "1")),
            staff=dice.random() < 0.2,
            visitor=dice.randrange(40),
            referrer=dice.choice(("", "a.example.org", "b.example.org")),
            language=dice.choice(("", "de-at", "en")),
            agent=dice.choice(AGENTS),
            page=status in (200, 304),
            host=dice.choice(("", "example.org")),
            campaign=dice.choice(("", "news / mail / -")),
            country=dice.choice(("", "AT", "JP")),
            path=dice.choice(("", "/a/1")),
        )

    return [one() for _ in range(count)]


def in_batches(seed: int, events):
    """The events in another order, a few at a time."""
    dice = random.Random(seed)
    events = dice.sample(events, len(events))
    while events:
        size = dice.randrange(1, 90)
        yield events[:size]
        events = events[size:]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("zone", "day"), PLACES)
def test_tables_are_a_naive_count(site, monkeypatch, zone, day, seed):
    site.TIME_ZONE = zone
    noon = datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    now = noon + datetime.timedelta(hours=40)
    monkeypatch.setattr(timezone, "now", lambda: now)
    events = traffic(seed, noon)
    for batch in in_batches(seed, events):
        count_events(batch, "(test)")
    expected = naive(events, BUILT_IN, ZoneInfo(zone))
    kinds = {dimension.name: dimension for dimension in BUILT_IN}
    found = {}
    for row in Rollup.objects.filter(dimension__in=kinds):
        key = (row.dimension, row.grain, int(row.bucket.timestamp()), row.key)
        found[*key, row.audience] = row
    # Rows that would be pruned at once are not written.
    recent = now.timestamp() - 2 * 86_400
    late = {key for key in expected if key[1] == Grain.MINUTE and key[2] < recent}
    assert set(expected) - set(found) <= late
    assert set(found) <= set(expected)
    for key, row in found.items():
        if key in late:
            continue
        sums = [row.requests, row.views, row.errors, row.bytes, row.duration]
        assert sums == expected[key].sums, key
        if kinds[key[0]].visitors:
            assert row.visitors.estimate() == len(expected[key].visitors), key


@pytest.mark.parametrize(("zone", "day"), PLACES)
def test_hours_of_a_key_are_its_day(site, monkeypatch, zone, day):
    site.TIME_ZONE = zone
    noon = datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    now = noon + datetime.timedelta(hours=40)
    monkeypatch.setattr(timezone, "now", lambda: now)
    for batch in in_batches(9, traffic(9, noon, 400)):
        count_events(batch, "(test)")
    date = datetime.date.fromisoformat(day)
    period = periods.between(date, date, now)
    for dimension in ("total", "route", "country", "browser"):
        for row in queries.top(
            dimension=dimension,
            period=period,
            audiences=(0, 1, 2),
            measure="requests",
        ).rows:
            hours = queries.series(
                period=period,
                measure="requests",
                dimension=dimension,
                key=row.key,
                audiences=(0, 1, 2),
            )
            assert len(hours.values) in (23, 24, 25)
            assert sum(hours.values) == row.requests
