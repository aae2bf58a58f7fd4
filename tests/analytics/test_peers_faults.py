"""What others get wrong, as people told of them or as we measured: ours must not.

Each test is named for the fault. Numbers come from the query module, as on a page.
"""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from analytics.models import Audience, Rollup
from analytics.recording.event import decode_many
from analytics.reporting import periods, queries
from analytics.rollup.buckets import Grain
from analytics.rollup.direct import count_events
from tests.analytics.recording.events import event
from tests.analytics.recording.site import browser, recorded_site

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EVERYONE = tuple(Audience)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def recorded(db, tmp_path, settings, monkeypatch):
    with recorded_site(tmp_path / "journal", settings, monkeypatch) as recorded:
        yield recorded


@pytest.fixture
def count(recorded):
    """Counts what was recorded so far."""

    def drain() -> None:
        count_events(list(recorded.events()), "(test)")

    return drain


def ago(days: float, **changes):
    moment = timezone.now() - days * DAY
    return event(time=int(moment.timestamp() * 1000), agent=BROWSER, **changes)


def week():
    return periods.last_days(7)


def test_visitors_of_days_are_not_added_up(db, site):
    """Fifty people who come every day are fifty people in the week."""
    count_events(
        [ago(day, visitor=who) for day in range(7) for who in range(1, 51)], "(test)"
    )
    assert queries.totals(period=week()).visitors == 50
    daily = queries.series(period=week(), measure="visitors").values
    assert list(daily) == [50] * 7


def test_percentiles_are_not_averaged(db, site):
    """A quiet slow day does not weigh as much as a busy fast one."""
    fast = [ago(1, duration=10_000) for _ in range(990)]
    slow = [ago(2, duration=1_000_000) for _ in range(10)]
    count_events(fast + slow, "(test)")
    found = queries.totals(period=week())
    assert found.p95 == pytest.approx(10_000, rel=0.02)


def test_a_raised_exception_is_one_request_and_one_error(recorded, count):
    for _ in range(10):
        browser().get("/boom/")
    count()
    found = queries.totals(period=week(), audiences=EVERYONE)
    assert (found.requests, found.errors) == (10, 10)
    rows = Rollup.objects.filter(dimension="total", grain=Grain.DAY)
    assert sum(row.latency.count for row in rows) == 10


def test_visitors_by_ipv6_are_told_apart(recorded, count):
    for network in range(5):
        address = f"2001:db8:0:{network}::1"
        browser(user_agent=BROWSER).get("/ok/", REMOTE_ADDR=address)
    count()
    assert queries.totals(period=week()).visitors == 5


@pytest.mark.parametrize("method", ["patch", "put", "delete", "options"])
def test_no_method_is_left_out(recorded, count, method):
    getattr(browser(), method)("/answer/")
    count()
    assert queries.totals(period=week(), audiences=EVERYONE).requests == 1


@pytest.mark.parametrize(("date", "hours"), [("2026-10-25", 25), ("2026-03-29", 23)])
def test_the_day_on_which_clocks_change_has_all_its_requests(
    db, site, monkeypatch, date, hours
):
    site.TIME_ZONE = "Europe/Berlin"
    start = periods.day_start(
        datetime.date.fromisoformat(date), ZoneInfo(site.TIME_ZONE)
    )
    now = start + datetime.timedelta(hours=hours, minutes=-10)
    monkeypatch.setattr(timezone, "now", lambda: now)
    times = [start + datetime.timedelta(minutes=30 + 60 * n) for n in range(hours)]
    count_events(
        [event(time=int(t.timestamp() * 1000), agent=BROWSER) for t in times], "(test)"
    )
    found = queries.series(period=periods.last_days(1, now), measure="requests")
    assert list(found.values) == [1] * hours
    assert queries.totals(period=periods.last_days(1, now)).requests == hours


def test_random_addresses_make_one_key(recorded, count):
    for number in range(60):
        browser().get(f"/{number}-no-such-page/")
    count()
    keys = Rollup.objects.filter(dimension="route", grain=Grain.DAY)
    assert set(keys.values_list("key", flat=True)) == {"(not found)"}


def test_random_hosts_and_referrers_stay_below_their_cap(db, site):
    hosts = queries.dimension_of("host").cap
    count_events(
        [
            ago(0, host=f"{n}.example.org", referrer=f"{n}.example.com")
            for n in range(hosts + 150)
        ],
        "(test)",
    )
    rows = Rollup.objects.filter(dimension="host", grain=Grain.DAY)
    assert rows.count() == hosts + 1
    assert sum(rows.values_list("requests", flat=True)) == hosts + 150


def test_bots_are_no_customers(recorded, count):
    browser(user_agent="Googlebot/2.1").get("/ok/")
    browser(user_agent=BROWSER).get("/ok/")
    count()
    assert queries.totals(period=week()).requests == 1
    assert queries.totals(period=week(), audiences=(Audience.BOTS,)).requests == 1
    assert queries.totals(period=week(), audiences=EVERYONE).requests == 2


def test_a_journal_of_an_older_version_is_counted(db, site):
    """Fields that events have been given since are empty there."""
    now = int(timezone.now().timestamp() * 1000)
    old = (
        f'[[{now},"GET","/a/","a",200,1500,5,"","",false,7,"","en","{BROWSER}",true,'
        "{}]]"
    )
    count_events(decode_many(old.encode()), "(test)")
    assert queries.totals(period=week()).views == 1
