"""Buckets partition time in every zone, also where its clocks change."""

from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.rollup.buckets import (
    Grain,
    bucket,
    bucket_epoch,
    is_bucket,
    next_bucket,
    verify_bucket,
)

ZONES = [
    "UTC",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Caracas",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Lisbon",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
]
FIRST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2036, 1, 1, tzinfo=UTC).timestamp())
LOCAL_GRAINS = [Grain.HOUR, Grain.DAY]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def from_epoch(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def offset(epoch: int, zone: ZoneInfo) -> timedelta:
    return datetime.fromtimestamp(epoch, zone).utcoffset()


@cache
def changes(name: str) -> list[int]:
    """Every instant at which the offset of a zone changes, by bisection of its days."""
    zone = ZoneInfo(name)
    found = []
    for day in range(FIRST, LAST, 86_400):
        low, high = day, day + 86_400
        if (after := offset(high, zone)) == offset(low, zone):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if offset(middle, zone) == after:
                high = middle
            else:
                low = middle
        found.append(high)
    return found


def buckets_between(start: str, end: str, grain: Grain, name: str) -> list[str]:
    """The starts in [start, end), as the clocks of the zone show them."""
    zone = ZoneInfo(name)
    at, starts = bucket(utc(start), grain, zone), []
    while at < utc(end):
        starts.append(at.astimezone(zone).strftime("%d %H:%M%z"))
        at = next_bucket(at, grain, zone)
    return starts


def lengths(start: str, end: str, grain: Grain, name: str) -> list[float]:
    """The lengths in hours of the buckets that begin in [start, end)."""
    zone = ZoneInfo(name)
    at, hours = bucket(utc(start), grain, zone), []
    while at < utc(end):
        after = next_bucket(at, grain, zone)
        hours.append((after - at) / timedelta(hours=1))
        at = after
    return hours


@st.composite
def places(draw) -> tuple[int, ZoneInfo]:
    """An instant and a zone, most often close to a change of the zone's clocks."""
    name = draw(st.sampled_from(ZONES))
    anywhere = st.integers(FIRST, LAST - 1)
    if changes(name):
        near = st.builds(
            int.__add__,
            st.sampled_from(changes(name)),
            st.one_of(
                st.integers(-3 * 86_400, 3 * 86_400),
                st.integers(-7_200, 7_200),
                st.integers(-61, 61),
            ),
        )
        anywhere = st.one_of(near, near, anywhere)
    return draw(anywhere), ZoneInfo(name)


@given(places(), st.sampled_from(Grain))
def test_buckets_partition_time(place, grain):
    epoch, zone = place
    start = bucket_epoch(epoch, grain, zone)
    end = int(next_bucket(from_epoch(start), grain, zone).timestamp())
    assert start <= epoch < end
    assert bucket_epoch(start, grain, zone) == start
    assert bucket_epoch(end - 1, grain, zone) == start
    assert bucket_epoch(end, grain, zone) == end


@given(places(), st.integers(0, 999_999))
def test_datetimes_and_seconds_agree(place, microsecond):
    epoch, zone = place
    instant = from_epoch(epoch).replace(microsecond=microsecond)
    for grain in Grain:
        start = bucket(instant, grain, zone)
        assert start == from_epoch(bucket_epoch(epoch, grain, zone))
        assert start.tzinfo is UTC


@given(places())
def test_fine_buckets_lie_in_one_coarse_bucket(place):
    epoch, zone = place
    for fine, coarse in ((Grain.MINUTE, Grain.HOUR), (Grain.HOUR, Grain.DAY)):
        start = bucket_epoch(epoch, fine, zone)
        last = int(next_bucket(from_epoch(start), fine, zone).timestamp()) - 1
        whole = bucket_epoch(epoch, coarse, zone)
        assert bucket_epoch(start, coarse, zone) == whole
        assert bucket_epoch(last, coarse, zone) == whole


@given(places())
def test_a_day_is_a_date_of_the_zone(place):
    epoch, zone = place
    start = bucket_epoch(epoch, Grain.DAY, zone)
    shown = datetime.fromtimestamp(start, zone)
    before = datetime.fromtimestamp(start - 1, zone)
    assert before.date() < shown.date()
    if epoch - start < 20 * 3_600 and shown.utcoffset() == offset(epoch, zone):
        assert datetime.fromtimestamp(epoch, zone).date() == shown.date()


@given(places())
def test_an_hour_shows_one_hour_of_the_clocks(place):
    epoch, zone = place
    start = bucket_epoch(epoch, Grain.HOUR, zone)
    first, now = (datetime.fromtimestamp(at, zone) for at in (start, epoch))
    assert epoch - start < 3_600
    assert first.utcoffset() == now.utcoffset()
    assert (first.date(), first.hour) == (now.date(), now.hour)


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("grain", LOCAL_GRAINS)
def test_nothing_is_skipped_around_any_change(name, grain):
    zone = ZoneInfo(name)
    before = {Grain.HOUR: 7_200, Grain.DAY: 100_000}[grain]
    for change in changes(name):
        at = bucket_epoch(change - before, grain, zone)
        for _ in range(4):
            after = int(next_bucket(from_epoch(at), grain, zone).timestamp())
            step = (after - at) // 8 or 1
            starts = {bucket_epoch(t, grain, zone) for t in range(at, after, step)}
            assert starts == {at}
            assert bucket_epoch(after - 1, grain, zone) == at
            assert bucket_epoch(after, grain, zone) == after
            at = after


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-24T22:00", 25),
        ("Europe/Berlin", "2026-07-01T22:00", 24),
        ("Australia/Lord_Howe", "2026-04-04T13:00", 24.5),
        ("Australia/Lord_Howe", "2026-10-03T13:30", 23.5),
        ("America/Havana", "2026-03-08T05:00", 23),
        ("America/Havana", "2026-11-01T04:00", 25),
        ("Africa/Cairo", "2026-04-23T22:00", 23),
        ("Asia/Beirut", "2026-03-28T22:00", 23),
        ("Asia/Beirut", "2026-10-23T21:00", 25),
        ("Pacific/Apia", "2011-12-29T10:00", 24),
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(name, day, hours):
    verify_bucket(utc(day), Grain.DAY, ZoneInfo(name))
    assert lengths(day, f"{day[:11]}23:59", Grain.DAY, name)[0] == hours


def test_a_midnight_that_is_skipped_begins_at_the_change():
    days = buckets_between("2026-04-23", "2026-04-24T12:00", Grain.DAY, "Africa/Cairo")
    assert days == ["23 00:00+0200", "24 01:00+0300"]


def test_a_date_that_is_skipped_has_no_bucket():
    days = buckets_between("2011-12-29", "2012-01-01", Grain.DAY, "Pacific/Apia")
    assert days == ["28 00:00-1000", "29 00:00-1000", "31 00:00+1400", "01 00:00+1400"]


def test_a_date_begins_once_where_the_clocks_go_back_over_midnight():
    start, end = "2009-10-31T12:00", "2009-11-01T12:00"
    days = buckets_between(start, end, Grain.DAY, "America/St_Johns")
    assert days == ["31 00:00-0230", "01 00:00-0230"]
    hours = buckets_between(
        "2009-11-01T02:00", "2009-11-01T05:00", Grain.HOUR, "America/St_Johns"
    )
    assert hours[-5:] == [
        "31 23:00-0230",
        "01 00:00-0230",
        "31 23:01-0330",
        "01 00:00-0330",
        "01 01:00-0330",
    ]


def test_an_hour_that_comes_twice_is_two_buckets():
    hours = buckets_between(
        "2026-10-24T23:00", "2026-10-25T02:30", Grain.HOUR, "Europe/Berlin"
    )
    assert hours == ["25 01:00+0200", "25 02:00+0200", "25 02:00+0100", "25 03:00+0100"]


def test_half_an_hour_is_a_bucket_where_clocks_change_by_half_an_hour():
    hours = lengths(
        "2026-04-04T14:00", "2026-04-04T17:00", Grain.HOUR, "Australia/Lord_Howe"
    )
    assert hours == [1, 0.5, 1, 1]


def test_hours_of_half_hour_zones_begin_at_their_own_full_hour():
    zone = ZoneInfo("Asia/Kolkata")
    start = bucket(utc("2026-05-01T12:15:09"), Grain.HOUR, zone)
    assert start == utc("2026-05-01T11:30")


def test_minutes_are_those_of_utc():
    start = bucket(utc("2026-05-01T12:15:59.999"), Grain.MINUTE, ZoneInfo("UTC"))
    assert start == utc("2026-05-01T12:15")


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2026, 5, 1),
        datetime(2026, 5, 1, tzinfo=timezone(timedelta(hours=2))),
        datetime(2026, 5, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    ],
)
def test_only_aware_utc_is_accepted(instant):
    zone = ZoneInfo("UTC")
    for function in (bucket, next_bucket, verify_bucket):
        with pytest.raises(ValueError, match="not an aware UTC datetime"):
            function(instant, Grain.DAY, zone)
    assert not is_bucket(instant, Grain.DAY, zone)


def test_what_is_not_a_start_is_refused_with_the_start():
    zone = ZoneInfo("Europe/Berlin")
    wrong = utc("2026-07-01T00:00")
    assert not is_bucket(wrong, Grain.DAY, zone)
    assert is_bucket(utc("2026-06-30T22:00"), Grain.DAY, zone)
    assert not is_bucket(utc("2026-06-30T22:00:00.001"), Grain.MINUTE, zone)
    for function in (verify_bucket, next_bucket):
        with pytest.raises(ValueError, match=r"a day in Europe/Berlin; 2026-06-30"):
            function(wrong, Grain.DAY, zone)


def test_grains_have_numbers_and_labels():
    assert [(grain.value, grain.label) for grain in Grain] == [
        (0, "minute"),
        (1, "hour"),
        (2, "day"),
    ]
