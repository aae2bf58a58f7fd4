"""The query module, beside a naive count of the same requests."""

import datetime
from collections import Counter

import pytest
from django.utils import timezone

from analytics.models import Audience, Rollup
from analytics.reporting import periods, queries
from analytics.rollup.dimensions import OTHER, Label
from tests.analytics.reporting.traffic import (
    at,
    counted,
    counted_once,
    naive,
    some,
    within,
)

pytestmark = pytest.mark.django_db

NOW = datetime.datetime(2026, 11, 20, 13, 37, 42, tzinfo=datetime.UTC)
OLDEST = datetime.datetime(2026, 10, 20, tzinfo=datetime.UTC)
EARLIER = OLDEST - datetime.timedelta(days=5, minutes=30)
"""When nothing was counted yet, on a day of its own."""
AUDIENCES = [(0,), (1,), (2,), (0, 1, 2)]


@pytest.fixture(autouse=True)
def berlin(site, monkeypatch):
    site.TIME_ZONE = "Europe/Berlin"
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def a_month():
    """With the day on which the clocks were set back, up to now."""
    recent = NOW - datetime.timedelta(days=2)
    return counted([*some(1, 1_500, OLDEST, NOW), *some(2, 1_500, recent, NOW)])


@pytest.fixture(scope="module")
def events(django_db_setup, django_db_blocker):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: NOW)
        with counted_once(django_db_blocker, a_month, "Europe/Berlin") as made:
            yield made


def summed(totals) -> dict[str, int]:
    names = ("requests", "views", "errors", "bytes", "visitors")
    return {name: getattr(totals, name) for name in names}


@pytest.mark.parametrize("audiences", AUDIENCES)
@pytest.mark.parametrize("days", [1, 2, 7, 30])
def test_totals_are_those_of_a_naive_count(events, days, audiences):
    period = periods.last_days(days, NOW)
    expected = naive(within(events, period.start, period.end, audiences))
    found = queries.totals(period=period, audiences=audiences)
    assert summed(found) == expected
    assert found.requests > 0


@pytest.mark.parametrize("days", [1, 2, 7])
def test_so_are_those_of_the_period_before(events, days):
    before = periods.last_days(days, NOW).previous()
    expected = naive(within(events, before.start, before.end))
    assert summed(queries.totals(period=before)) == expected


@pytest.mark.parametrize("days", [1, 2, 30])
def test_each_bucket_of_a_series(events, days):
    period = periods.last_days(days, NOW)
    ends = [*period.buckets()[1:], period.end]
    expected = [
        naive(within(events, start, end)) if start <= NOW else None
        for start, end in zip(period.buckets(), ends, strict=True)
    ]
    for name in ("requests", "views", "errors", "visitors"):
        found = queries.series(period=period, measure=name)
        assert list(found.values) == [one and one[name] for one in expected]


def test_the_series_before_lies_in_the_same_buckets(events):
    """Its running day is made of hours and minutes, and is one number all the same."""
    before = periods.last_days(7, NOW).previous()
    values = queries.series(period=before, measure="requests").values
    last = within(events, before.buckets()[-1], before.end)
    assert len(values) == 7
    assert values[-1] == len(last)
    assert sum(values) == queries.totals(period=before).requests


def test_percentiles_and_rate(events):
    period = periods.last_days(30, NOW)
    rows = within(events, period.start, period.end)
    durations = sorted(one.duration for one in rows)
    found = queries.totals(period=period)
    assert found.p95 == pytest.approx(
        durations[-(-95 * len(rows) // 100) - 1], rel=0.02
    )
    assert found.p50 == pytest.approx(durations[-(-len(rows) // 2) - 1], rel=0.02)
    failed = sum(one.status == 500 for one in rows)
    assert found.error_rate == pytest.approx(100 * failed / len(rows))


@pytest.mark.parametrize("name", ["error_rate", "p95"])
def test_rates_and_percentiles_of_each_day(events, name):
    period = periods.last_days(30, NOW)
    found = queries.series(period=period, measure=name)
    for place, start in enumerate(period.buckets()):
        day = periods.between(*[start.astimezone(period.zone).date()] * 2, NOW)
        assert found.values[place] == getattr(queries.totals(period=day), name)


def test_of_nothing():
    period = periods.last_days(7, EARLIER)
    found = queries.totals(period=period)
    assert summed(found) == naive([])
    assert (found.error_rate, found.p50, found.p95) == (None, None, None)
    assert queries.top(dimension="route", period=period).rows == ()


@pytest.mark.parametrize("measure", ["requests", "views", "errors"])
@pytest.mark.parametrize("audiences", AUDIENCES)
def test_the_largest_keys(events, audiences, measure):
    period = periods.last_days(30, NOW)
    rows = within(events, period.start, period.end, audiences)
    names = [one.route or "(not found)" for one in rows]
    counts = Counter()
    for name, one in zip(names, rows, strict=True):
        counts[name] += naive([one])[measure]
    wanted = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    found = queries.top(
        dimension="route", period=period, audiences=audiences, measure=measure, limit=2
    )
    assert [(row.key, row.value) for row in found.rows] == wanted[:2]
    assert found.total == counts.total()
    assert found.others == sum(value for _, value in wanted[2:])
    assert [row.requests for row in found.rows] == [
        names.count(row.key) for row in found.rows
    ]


def test_shares_are_of_everything(events):
    period = periods.last_days(30, NOW)
    found = queries.top(dimension="route", period=period, measure="requests")
    assert sum(row.share for row in found.rows) == pytest.approx(100)


def test_what_is_over_the_cap_is_never_listed_but_always_counted(events):
    day = Rollup.objects.filter(dimension="route", grain=2, audience=0).first()
    Rollup.objects.create(
        site=day.site,
        dimension="route",
        grain=2,
        bucket=day.bucket,
        key=OTHER,
        audience=0,
        requests=10**6,
    )
    period = periods.last_days(32, NOW)
    found = queries.top(dimension="route", period=period, measure="requests")
    assert OTHER not in [row.key for row in found.rows]
    assert found.others == 10**6


def test_labels(events, monkeypatch):
    route = queries.dimension_of("route")
    described = type(route)(
        name="route",
        label="Route",
        key=route.key,
        describe=lambda keys: {"/": Label("Home", "/there/")},
    )
    monkeypatch.setattr(queries, "dimension_of", lambda name: described)
    found = queries.top(
        dimension="route", period=periods.last_days(30, NOW), measure="requests"
    )
    labels = {row.key: row.label for row in found.rows}
    assert labels["/"] == Label("Home", "/there/")
    assert labels["/list/"] == Label("/list/")


def test_sums_of_given_keys(events, django_assert_num_queries):
    period = periods.last_days(7, NOW)
    rows = within(events, period.start, period.end)
    assert queries.note(period=period) == ""
    with django_assert_num_queries(1):
        found = queries.per_key(
            dimension="route", keys=["/", "/list/", "/never/"], period=period
        )
    assert found == {
        route: sum(one.page for one in rows if one.route == route)
        for route in ("/", "/list/")
    }


def test_another_site_is_another_world(events):
    period = periods.last_days(30, NOW)
    assert queries.totals(period=period, site="elsewhere").requests == 0
    assert queries.top(dimension="route", period=period, site="elsewhere").total == 0
    keys = {"dimension": "route", "keys": ["/"], "site": "elsewhere"}
    assert queries.per_key(period=period, **keys) == {}


@pytest.mark.parametrize("days", [1, 7, 400])
def test_the_number_of_queries_is_the_same_for_all_periods(
    events, days, django_assert_num_queries
):
    period = periods.last_days(days, NOW)
    # Asked by the first one: how long rows are kept.
    with django_assert_num_queries(1 if days == 1 else 2):
        queries.totals(period=period)
    # The second one tells gaps from zeros.
    with django_assert_num_queries(2 if days == 400 else 1):
        queries.series(period=period, measure="p95", audiences=tuple(Audience))
    with django_assert_num_queries(1):
        queries.totals(period=period)
    with django_assert_num_queries(1):
        queries.top(dimension="route", period=period)


def test_where_failed_requests_came_from():
    counted(
        [
            at(EARLIER, status=404, referrer="a.example.org"),
            at(EARLIER, status=404, referrer="a.example.org"),
            at(EARLIER, status=500, referrer=""),
            at(EARLIER, status=499, exception="OSError", referrer="b.example.org"),
            at(EARLIER, status=200, referrer="b.example.org"),
        ]
    )
    found = queries.top(
        dimension="error_referrer",
        period=periods.last_days(1, EARLIER),
        audiences=tuple(Audience),
        measure="requests",
    )
    assert {row.key: (row.requests, row.errors) for row in found.rows} == {
        "a.example.org": (2, 0),
        "(none)": (1, 1),
        "b.example.org": (1, 1),
    }


@pytest.mark.parametrize(
    "ask",
    [
        lambda period: queries.top(dimension="nothing", period=period),
        lambda period: queries.top(dimension="route", period=period, measure="key"),
        lambda period: queries.per_key(
            dimension="route", keys=[], period=period, measure="pk"
        ),
        lambda period: queries.series(period=period, measure="pk"),
    ],
)
def test_unknown_names_are_refused(ask):
    with pytest.raises(queries.UnknownName):
        ask(periods.last_days(1, NOW))
