"""Periods: which days, which rows, and what they are compared with."""

import datetime

import pytest

from analytics.reporting import periods
from analytics.reporting.periods import BadPeriod, Span
from analytics.rollup.buckets import Grain


def utc(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def berlin(settings):
    settings.TIME_ZONE = "Europe/Berlin"


NOW = utc(2026, 11, 20, 13, 37, 42)


def test_the_last_days_end_today():
    period = periods.last_days(7, NOW)
    assert (period.first, period.last) == (
        datetime.date(2026, 11, 14),
        datetime.date(2026, 11, 20),
    )
    assert period.start == utc(2026, 11, 13, 23)
    assert period.end == utc(2026, 11, 20, 23)
    assert period.running
    assert period.days == 7


def test_today_is_that_of_the_zone():
    late = utc(2026, 11, 20, 23, 30)
    assert periods.last_days(1, late).first == datetime.date(2026, 11, 21)


def test_long_periods_are_made_of_day_rows():
    period = periods.last_days(30, NOW)
    assert period.grain == Grain.DAY
    assert period.spans() == [Span(Grain.DAY, period.start, period.end)]
    assert len(period.buckets()) == 30


def test_a_day_is_drawn_by_the_hour():
    period = periods.last_days(1, NOW)
    assert period.grain == Grain.HOUR
    assert len(period.buckets()) == 24


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-10-25", 25), ("2026-03-29", 23), ("2026-10-24", 24)]
)
def test_days_on_which_clocks_change(day, hours):
    date = datetime.date.fromisoformat(day)
    now = datetime.datetime.combine(date, datetime.time(20), datetime.UTC)
    assert len(periods.between(date, date, now).buckets()) == hours


def test_a_day_long_ago_is_drawn_as_one_for_its_hours_are_gone():
    day = datetime.date(2026, 1, 5)
    assert periods.between(day, day, NOW).grain == Grain.DAY


def test_a_running_period_is_compared_with_the_same_part():
    before = periods.last_days(7, NOW).previous()
    assert before.first == datetime.date(2026, 11, 7)
    assert before.last == datetime.date(2026, 11, 13)
    # Minutes of a week ago are gone; so are the 37 of this hour.
    assert before.end == utc(2026, 11, 13, 13)
    assert before.spans() == [
        Span(Grain.DAY, utc(2026, 11, 6, 23), utc(2026, 11, 12, 23)),
        Span(Grain.HOUR, utc(2026, 11, 12, 23), utc(2026, 11, 13, 13)),
    ]


def test_today_is_compared_with_yesterday_to_the_minute():
    before = periods.last_days(1, NOW).previous()
    assert before.spans() == [
        Span(Grain.HOUR, utc(2026, 11, 18, 23), utc(2026, 11, 19, 13)),
        Span(Grain.MINUTE, utc(2026, 11, 19, 13), utc(2026, 11, 19, 13, 37)),
    ]


def test_the_same_part_is_that_of_the_clocks():
    """On the day after the clocks were set back, 14:37 was an hour earlier in UTC."""
    now = utc(2026, 10, 25, 13, 37)
    before = periods.last_days(1, now).previous()
    assert before.end == utc(2026, 10, 24, 12, 37)


def test_a_period_that_is_over_is_compared_with_all_of_the_one_before():
    period = periods.between(
        datetime.date(2026, 11, 2), datetime.date(2026, 11, 8), NOW
    )
    before = period.previous()
    assert not period.running
    assert (before.first, before.last) == (
        datetime.date(2026, 10, 26),
        datetime.date(2026, 11, 1),
    )
    assert before.end == period.start
    assert before.until is None


def test_a_year_is_compared_by_days_where_hours_are_gone():
    before = periods.between(
        datetime.date(2026, 1, 1), datetime.date(2026, 11, 20), NOW
    ).previous()
    assert {span.grain for span in before.spans()} == {Grain.DAY}


def test_words_of_an_address():
    words = {"from": "2026-11-01", "to": "2026-11-03"}
    assert periods.parse(words, NOW).days == 3
    assert periods.parse({"range": "90"}, NOW).days == 90
    assert periods.parse({}, NOW).days == 30
    future = periods.parse({"from": "2026-11-19", "to": "2027-01-01"}, NOW)
    assert future.last == datetime.date(2026, 11, 20)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"range": "8"}, "A range is one of"),
        ({"from": "2026-11-01"}, "YYYY-MM-DD"),
        ({"to": "2026-11-01"}, "YYYY-MM-DD"),
        ({"from": "1 Nov", "to": "x"}, "YYYY-MM-DD"),
        ({"from": "2026-11-03", "to": "2026-11-01"}, "behind"),
        ({"from": "2026-12-03", "to": "2026-12-04"}, "future"),
        ({"from": "1990-01-01", "to": "2026-01-01"}, "at most"),
        ({"from": "0001-01-01", "to": "0001-01-01"}, "too far"),
        ({"from": "9999-12-31", "to": "9999-12-31"}, "too far"),
    ],
)
def test_what_makes_no_period(words, sentence):
    with pytest.raises(BadPeriod, match=sentence):
        periods.parse(words, NOW)


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("2026-11-21", "2026-11-21", "21 Nov 2026"),
        ("2026-11-01", "2026-11-21", "1 – 21 Nov 2026"),
        ("2026-10-24", "2026-11-21", "24 Oct – 21 Nov 2026"),
        ("2025-12-24", "2026-01-02", "24 Dec 2025 – 2 Jan 2026"),
    ],
)
def test_as_people_read_it(first, last, text):
    days = map(datetime.date.fromisoformat, (first, last))
    assert str(periods.between(*days, utc(2026, 12, 1))) == text


@pytest.mark.parametrize(
    ("days", "part"),
    [
        (1, "its last day up to 14:37"),
        (7, "its last day up to 14:00"),
        (90, "without its last day"),
    ],
)
def test_the_part_that_is_compared(days, part):
    assert periods.last_days(days, NOW).previous().part == part
    assert periods.last_days(days, NOW).part == ""
