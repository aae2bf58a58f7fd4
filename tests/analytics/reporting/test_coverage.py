"""Gaps of a series: times in which nothing could be recorded are not times without
requests."""

import datetime

import pytest
from django.utils import timezone

from analytics.models import Audience, Coverage, Producer
from analytics.reporting import periods, queries
from analytics.rollup.retention import prune
from tests.analytics.reporting.traffic import at, counted

pytestmark = pytest.mark.django_db

NOW = datetime.datetime(2026, 11, 20, 13, 37, 42, tzinfo=datetime.UTC)
MIDNIGHT = datetime.datetime(2026, 11, 19, 23, tzinfo=datetime.UTC)
"""Where the day of NOW begins in Berlin."""
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)
HOURS_NOW = 15
"""So many hours of the day have begun."""


@pytest.fixture(autouse=True)
def berlin(site, monkeypatch):
    site.TIME_ZONE = "Europe/Berlin"
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def alive(start: datetime.datetime, end: datetime.datetime, name="web", **changes):
    """A process that lived from one moment to another, and recorded nothing."""
    values = {"site": "test", "closed": True, "seen": end, "alive": end}
    return Producer.objects.create(
        producer=f"{name} {start:%d %H%M}", started=start, **(values | changes)
    )


def today(measure="requests", **changes):
    return queries.series(period=periods.last_days(1, NOW), measure=measure, **changes)


def test_hours_without_a_process_are_gaps():
    alive(MIDNIGHT, MIDNIGHT + 4.5 * HOUR)
    alive(MIDNIGHT + 8.5 * HOUR, NOW)
    found = today()
    assert found.gaps == (5, 6, 7)
    zeros = [place for place, value in enumerate(found.values) if value == 0]
    assert zeros == [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14]
    assert set(found.values) - {0} == {None}


def test_a_process_that_lives_and_has_nothing_to_do_leaves_zeros():
    alive(MIDNIGHT - DAY, NOW, closed=False)
    found = today()
    assert found.gaps == ()
    assert found.values == (0,) * HOURS_NOW + (None,) * 9


def test_of_nothing_there_is_no_rate_though_there_is_no_gap():
    alive(MIDNIGHT, NOW)
    found = today("error_rate")
    assert found.gaps == ()
    assert set(found.values) == {None}


def test_one_heard_of_a_moment_ago_still_lives():
    """The ledger says so every minute, and an hour has just begun."""
    alive(MIDNIGHT, NOW - 40 * datetime.timedelta(minutes=1), name="ended")
    assert today().gaps == (14,)
    alive(MIDNIGHT, NOW - 39 * datetime.timedelta(minutes=1), name="other")
    period = periods.last_days(1, MIDNIGHT + 14 * HOUR + datetime.timedelta(minutes=1))
    assert queries.series(period=period, measure="requests").gaps == ()


def test_a_restart_is_no_gap():
    moment = MIDNIGHT + 3 * HOUR
    alive(MIDNIGHT, moment - datetime.timedelta(seconds=20))
    alive(moment + datetime.timedelta(seconds=20), NOW)
    assert today().gaps == ()


def test_before_the_first_record_there_are_gaps_and_in_the_future_there_are_none():
    alive(MIDNIGHT + 10 * HOUR, NOW)
    assert today().gaps == tuple(range(10))
    week = queries.series(period=periods.last_days(7, NOW), measure="views")
    assert week.gaps == (0, 1, 2, 3, 4, 5)
    assert week.values == (None,) * 6 + (0,)


def test_a_site_that_nobody_has_visited_or_served_has_only_gaps():
    assert today().gaps == tuple(range(HOURS_NOW))


def test_what_others_speak_for_is_no_longer_alive():
    """A dead process' journal was adopted in the morning: that is when it was heard of,
    not until when it lived."""
    alive(MIDNIGHT, MIDNIGHT + 2.5 * HOUR, seen=NOW)
    alive(MIDNIGHT + 9 * HOUR, NOW)
    assert today().gaps == (3, 4, 5, 6, 7, 8)


def test_lines_from_before_this_was_known_have_only_been_heard_of():
    alive(MIDNIGHT, MIDNIGHT + 11.5 * HOUR, alive=None)
    assert today().gaps == (12, 13, 14)


def test_a_source_that_is_no_process_covers_its_events():
    counted([at(MIDNIGHT + 2.5 * HOUR), at(MIDNIGHT + 6 * HOUR)])
    found = today()
    assert found.gaps == (0, 1, *range(7, HOURS_NOW))
    assert found.values[2:7] == (1, 0, 0, 0, 1)
    counted([at(MIDNIGHT + 1.5 * HOUR), at(MIDNIGHT + 8 * HOUR)])
    assert today().gaps == (0, *range(9, HOURS_NOW))


def test_what_was_counted_was_recorded_whatever_the_ledger_says():
    counted([at(MIDNIGHT + 2 * HOUR, staff=True)])
    Producer.objects.all().delete()
    found = today(dimension="route", key="/never/")
    assert found.gaps == (0, 1, *range(3, HOURS_NOW))
    assert found.values[2] == 0


@pytest.mark.parametrize("audiences", [(Audience.PEOPLE,), tuple(Audience)])
def test_a_key_has_the_gaps_of_the_site(audiences):
    alive(MIDNIGHT, MIDNIGHT + 3 * HOUR)
    counted([at(MIDNIGHT + 1 * HOUR, route="/a/"), at(MIDNIGHT + 5 * HOUR)])
    Producer.objects.filter(producer="(test)").delete()
    found = today(dimension="route", key="/a/", audiences=audiences)
    assert found.values[:6] == (0, 1, 0, 0, None, 0)
    assert found.gaps == (4, *range(6, HOURS_NOW))


def test_another_sites_processes_do_not_count():
    alive(MIDNIGHT, NOW, site="other")
    Coverage.objects.create(site="other", start=MIDNIGHT, end=NOW)
    assert len(today().gaps) == HOURS_NOW
    assert today(site="other").gaps == ()


def test_folded_lines_leave_their_times(django_assert_num_queries):
    start = NOW - 60 * DAY
    alive(start, start + 2 * DAY, seen=start + 2 * DAY)
    alive(start + 5 * DAY, start + 6 * DAY, seen=start + 6 * DAY)
    alive(NOW - DAY, NOW)
    period = periods.last_days(62, NOW)
    before = queries.series(period=period, measure="requests")
    assert before.gaps == (0, 4, 5, *range(8, 60))
    assert prune(NOW).endswith("2 ledger lines folded")
    with django_assert_num_queries(2):
        assert queries.series(period=period, measure="requests") == before


@pytest.mark.parametrize(
    ("day", "hours"),
    [(datetime.date(2026, 3, 29), 23), (datetime.date(2026, 10, 25), 25)],
)
def test_gaps_of_a_day_on_which_the_clocks_change(day, hours):
    midnight = periods.day_start(day, periods.last_days(1, NOW).zone)
    alive(midnight, midnight + 1.5 * HOUR)
    alive(midnight + 4 * HOUR, midnight + 30 * HOUR)
    noon = midnight + 12 * HOUR
    period = periods.between(day, day, max(noon, midnight + 28 * HOUR))
    found = queries.series(period=period, measure="requests")
    assert found.gaps == (2, 3)
    assert len(found.values) == hours


def test_where_no_bucket_is_empty_nobody_is_asked(django_assert_num_queries):
    period = periods.last_days(2, NOW)
    begun = [start for start in period.buckets() if start <= NOW]
    counted([at(start) for start in begun])
    queries.note(period=period)
    with django_assert_num_queries(1):
        found = queries.series(period=period, measure="requests")
    assert found.gaps == ()
    assert found.values[: len(begun)] == (1,) * len(begun)
