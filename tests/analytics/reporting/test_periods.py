"""Periods: which days, which rows, and what they are compared with."""

import datetime

import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.models import Retention
from analytics.reporting import periods, queries
from analytics.reporting.periods import BadPeriod, Span
from analytics.rollup.buckets import Grain, is_bucket
from analytics.rollup.retention import keep
from tests.analytics.reporting.traffic import at, counted

pytestmark = pytest.mark.django_db


def utc(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def berlin():
    with override_settings(TIME_ZONE="Europe/Berlin"):
        yield


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


# Months, quarters, years, and other comparisons.

NOON = utc(2026, 11, 20, 12)


def days_of(period) -> tuple[str, str]:
    return period.first.isoformat(), period.last.isoformat()


@pytest.mark.parametrize(
    ("name", "days", "before"),
    [
        ("today", ("2026-11-20", "2026-11-20"), ("2026-11-19", "2026-11-19")),
        ("yesterday", ("2026-11-19", "2026-11-19"), ("2026-11-18", "2026-11-18")),
        ("month", ("2026-11-01", "2026-11-20"), ("2026-10-01", "2026-10-20")),
        ("last-month", ("2026-10-01", "2026-10-31"), ("2026-09-01", "2026-09-30")),
        ("quarter", ("2026-10-01", "2026-11-20"), ("2026-07-01", "2026-08-20")),
        ("year", ("2026-01-01", "2026-11-20"), ("2025-01-01", "2025-11-20")),
    ],
)
def test_named_periods_and_the_ones_before(name, days, before):
    period = periods.named(name, NOON)
    assert days_of(period) == days
    assert days_of(period.previous()) == before


@pytest.mark.parametrize(
    ("today", "name", "before"),
    [
        # March has days that February has not; a whole month ends where it ends.
        ("2026-03-31", "month", ("2026-02-01", "2026-02-28")),
        ("2026-03-01", "last-month", ("2026-01-01", "2026-01-31")),
        ("2028-02-29", "year", ("2027-01-01", "2027-02-28")),
        ("2026-01-15", "last-month", ("2025-11-01", "2025-11-30")),
        ("2026-11-30", "month", ("2026-10-01", "2026-10-30")),
    ],
)
def test_months_of_different_lengths(today, name, before):
    day = datetime.date.fromisoformat(today)
    now = datetime.datetime.combine(day, datetime.time(12), datetime.UTC)
    assert days_of(periods.named(name, now).previous()) == before


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ("2025-02-01", "2025-02-28", ("2024-02-01", "2024-02-29")),
        ("2025-02-28", "2025-02-28", ("2024-02-28", "2024-02-28")),
        ("2025-02-22", "2025-02-28", ("2024-02-22", "2024-02-28")),
        ("2024-02-29", "2024-02-29", ("2023-02-28", "2023-02-28")),
    ],
)
def test_the_end_of_february_a_year_before(first, last, before):
    days = map(datetime.date.fromisoformat, (first, last))
    assert days_of(periods.between(*days, NOON).previous("year")) == before


@pytest.mark.parametrize(
    ("days", "comparison", "before"),
    [
        (7, "weekdays", ("2026-11-07", "2026-11-13")),
        (3, "weekdays", ("2026-11-11", "2026-11-13")),
        (30, "weekdays", ("2026-09-17", "2026-10-16")),
        (7, "year", ("2025-11-14", "2025-11-20")),
    ],
)
def test_comparisons(days, comparison, before):
    period = periods.last_days(days, NOON)
    found = period.previous(comparison)
    assert days_of(found) == before
    if comparison == "weekdays":
        assert found.first.weekday() == period.first.weekday()
    assert found.until is not None


def test_the_same_part_of_a_shorter_month_ends_with_it():
    now = utc(2026, 3, 31, 12)
    before = periods.named("month", now).previous()
    assert before.end <= periods.day_start(datetime.date(2026, 3, 1), before.zone)


@settings(max_examples=200, deadline=None)
@given(
    st.dates(datetime.date(2020, 1, 1), datetime.date(2030, 12, 31)),
    st.integers(0, 86_399),
    st.sampled_from(list(periods.RANGES)),
    st.sampled_from(list(periods.COMPARISONS)),
    st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "UTC"]
    ),
)
def test_rows_cover_a_period_without_gap_or_overlap(day, second, name, comparison, key):
    now = datetime.datetime.combine(day, datetime.time(), datetime.UTC)
    now += datetime.timedelta(seconds=second)
    with override_settings(TIME_ZONE=key):
        period = periods.named(name, now)
        for one in (period, period.previous(comparison)):
            spans = one.spans()
            edges = [(span.start, span.end) for span in spans]
            assert [start for start, _ in edges[1:]] == [end for _, end in edges[:-1]]
            if edges:
                assert (edges[0][0], edges[-1][1]) == (one.start, one.end)
            for grain, start, end in spans:
                assert is_bucket(start, grain, one.zone)
                assert is_bucket(end, grain, one.zone)
                assert grain <= one.grain


# What is kept differs from what is declared.


def kept(dimension: str, grain: Grain, days: int | None) -> None:
    Retention.objects.create(dimension=dimension, grain=grain, days=days)


def test_hours_that_are_kept_for_longer_are_drawn():
    day = datetime.date(2026, 1, 5)
    kept("total", Grain.HOUR, 700)
    assert periods.between(day, day, NOW).grain == Grain.HOUR


def test_hours_that_are_gone_sooner_are_not_drawn_and_the_reader_says_so():
    day = datetime.date(2026, 11, 9)
    hourly = periods.between(day, day, NOW)
    kept("route", Grain.HOUR, 10)
    period = periods.between(day, day, NOW)
    route = queries.dimension_of("route")
    assert hourly.of_rows(route.days).grain == Grain.HOUR
    assert period.of_dimension(route).grain == Grain.DAY
    expected = "Hours are kept for 10 days: 9 Nov 2026 is shown by the day."
    assert queries.note(period=period, dimension="route") == expected
    assert queries.note(period=period) == ""


def test_the_part_that_is_compared_ends_where_finer_rows_are_gone():
    kept("total", Grain.HOUR, 7)
    period = periods.last_days(30, NOW)
    before = period.previous()
    assert before.end == periods.day_start(before.last, before.zone)
    expected = f"{before} is taken up to 21 Oct 00:00: finer rows are not kept."
    assert queries.note(period=period, before=before) == expected
    assert queries.note(period=period) == ""


def test_nothing_is_said_of_what_is_whole():
    period = periods.last_days(1, NOW)
    assert queries.note(period=period, before=period.previous()) == ""


def test_hours_that_were_pruned_are_not_taken_for_zeros(site):
    """They are kept for longer now, and still those of a year before are gone."""
    site.TIME_ZONE = "Europe/Berlin"
    first = NOW - datetime.timedelta(days=500)
    events = [at(first + datetime.timedelta(days=n)) for n in range(501)]
    counted(events)
    total = queries.dimension_of("total")
    keep(total, Grain.HOUR, 730, NOW)
    today = periods.last_days(1, NOW)
    before = today.previous("year")
    assert before.end == before.start
    assert f"{before} is taken up to" in queries.note(period=today, before=before)
    day = periods.between(before.first, before.last, NOW)
    assert queries.totals(period=day).requests == 1
    assert sum(queries.series(period=day, measure="requests").values) == 1
    assert queries.note(period=day) == (
        "Hours are kept for 90 days: 20 Nov 2025 is shown by the day. Rows are to be "
        "kept for longer now; those deleted before stay gone."
    )


def test_minutes_that_are_kept_for_longer_make_the_comparison_exact():
    kept("total", Grain.MINUTE, 14)
    before = periods.last_days(7, NOW).previous()
    assert before.end == utc(2026, 11, 13, 13, 37)
    assert queries.note(period=before) == ""


def test_days_that_are_gone_are_spoken_of():
    kept("total", Grain.DAY, 400)
    first, last = datetime.date(2024, 1, 1), datetime.date(2024, 12, 31)
    note = queries.note(period=periods.between(first, last, NOW))
    assert note.startswith("Days are kept for 400 days: of 1 Jan – 31 Dec 2024, ")


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
