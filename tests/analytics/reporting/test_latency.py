"""Percentiles, histogram, visitors and comparison, beside the requests themselves."""

import datetime
import random

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.models import Audience
from analytics.reporting import periods, queries
from analytics.reporting.measures import COMPARED, RANKS
from tests.analytics.reporting.traffic import (
    BOT,
    BROWSER,
    at,
    audience_of,
    counted,
    counted_once,
    naive,
    within,
)

pytestmark = pytest.mark.django_db

NOW = datetime.datetime(2026, 11, 20, 13, 37, 42, tzinfo=datetime.UTC)
DAYS = 60
EVERYONE = tuple(Audience)
SHAPES = {
    "/log-normal/": lambda dice: int(dice.lognormvariate(9, 1.2)),
    "/bimodal/": lambda dice: int(dice.gauss(*dice.choice(((900, 60), (4e5, 3e4))))),
    "/constant/": lambda dice: 12_345,
    "/quick/": lambda dice: dice.randrange(30),
    "/endless/": lambda dice: dice.randrange(10**9, 2 * 10**11),
}
"""Route -> how long its requests take."""
TINY = {"/one/": [777], "/two/": [3, 5 * 10**6], "/unknown/": [0, 0, 1], "/none/": [0]}
NOT_LOGGED = ("/unknown/", "/none/")
"""What has been asked for without its duration being known."""
LONGEST = 86_400_000_000
"""A longer one is counted as a day."""


@pytest.fixture(autouse=True)
def berlin(site, monkeypatch):
    site.TIME_ZONE = "Europe/Berlin"
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def two_months():
    dice = random.Random(4)

    def some_time() -> datetime.datetime:
        return NOW - datetime.timedelta(seconds=dice.random() * DAYS * 86_400)

    made = [
        at(
            some_time(),
            route=route,
            duration=max(1, shape(dice)),
            status=dice.choice((200, 200, 500)),
            visitor=dice.randrange(1, 250),
            agent=dice.choice((BROWSER, BROWSER, BOT)),
            staff=dice.random() < 0.1,
        )
        for route, shape in SHAPES.items()
        for _ in range(1_500)
    ]
    made += [
        at(NOW, route=route, duration=duration, agent=BROWSER)
        for route, durations in TINY.items()
        for duration in durations
    ]
    return counted(made)


@pytest.fixture(scope="module")
def events(django_db_setup, django_db_blocker):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: NOW)
        with counted_once(django_db_blocker, two_months, "Europe/Berlin") as made:
            yield made


def durations(events, period, route, audiences=(0,)):
    found = within(events, period.start, period.end, audiences)
    return sorted(
        min(one.duration, LONGEST)
        for one in found
        if one.duration and (route is None or one.route == route)
    )


def nearest_rank(values, rank):
    return values[max(1, -(-rank * len(values) // 100)) - 1]


def asked_of(route):
    return {"dimension": "route", "key": route} if route else {}


def assert_percentiles(events, period, route, audiences=(0,), ranks=RANKS):
    truth = durations(events, period, route, audiences)
    found = queries.percentiles(
        period=period, audiences=audiences, ranks=ranks, **asked_of(route)
    )
    assert tuple(found) == tuple(ranks)
    for rank, value in found.items():
        if truth:
            assert value == pytest.approx(nearest_rank(truth, rank), rel=0.02), rank
        else:
            assert value is None
    return truth


def assert_histogram(events, period, route, audiences=(0,)):
    """Each bar is what a naive count has between its edges."""
    truth = durations(events, period, route, audiences)
    bars = queries.histogram(period=period, audiences=audiences, **asked_of(route))
    edges = list(zip(bars.edges, bars.edges[1:], strict=False))
    assert len(bars.counts) == len(edges) <= 30
    assert list(bars.counts) == [
        sum(low <= one < high for one in truth) for low, high in edges
    ]
    assert sum(bars.counts) == len(truth)
    if route is not None and route not in NOT_LOGGED:
        asked = {"period": period, "audiences": audiences, **asked_of(route)}
        assert queries.totals(**asked).requests == len(truth)


@pytest.mark.parametrize("audiences", [(0,), (1,), (0, 1, 2)])
@pytest.mark.parametrize("route", [None, *SHAPES, *TINY, "/never/"])
def test_of_two_months(events, route, audiences):
    period = periods.last_days(DAYS, NOW)
    truth = assert_percentiles(events, period, route, audiences)
    assert len(truth) > 200 or route in TINY or route == "/never/"
    assert_histogram(events, period, route, audiences)


@given(
    st.sampled_from([None, *SHAPES]),
    st.integers(0, DAYS),
    st.integers(1, DAYS),
    st.sets(st.sampled_from(EVERYONE), min_size=1).map(tuple),
    st.lists(st.integers(0, 100), min_size=1, max_size=4, unique=True),
)
@settings(max_examples=60, deadline=None)
def test_of_any_days_and_audiences(events, route, ago, days, audiences, ranks):
    today = NOW.astimezone(periods.last_days(1, NOW).zone).date()
    last = today - datetime.timedelta(days=ago)
    first = last - datetime.timedelta(days=days - 1)
    period = periods.between(first, last, NOW)
    assert_percentiles(events, period, route, audiences, ranks)
    assert_histogram(events, period, route, audiences)


def test_a_running_day_and_the_same_part_of_the_day_before(events):
    today = periods.last_days(1, NOW)
    for period in (today, today.previous()):
        assert len(assert_percentiles(events, period, None)) > 20
        assert_histogram(events, period, None)


@pytest.mark.parametrize("audiences", [(0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("days", [1, 7, DAYS // 2])
def test_a_comparison_is_that_of_two_naive_counts(events, days, audiences):
    period = periods.last_days(days, NOW)
    before = period.previous()
    assert before.until is not None
    found = queries.compare(period=period, before=before, audiences=audiences)
    counts = [
        naive(within(events, one.start, one.end, audiences)) for one in (period, before)
    ]
    for name, value in counts[0].items():
        was = counts[1][name]
        assert (getattr(found.now, name), getattr(found.then, name)) == (value, was)
        assert found.changes[name] == pytest.approx(100 * (value - was) / was)
    rates = [100 * one["errors"] / one["requests"] for one in counts]
    assert found.changes["error_rate"] == pytest.approx(
        100 * (rates[0] - rates[1]) / rates[1]
    )
    for rank in (50, 95):
        now, then = (
            queries.percentiles(period=one, audiences=audiences)[rank]
            for one in (period, before)
        )
        assert found.changes[f"p{rank}"] == pytest.approx(100 * (now - then) / then)


def test_a_comparison_with_nothing(events):
    period = periods.last_days(DAYS, NOW)
    found = queries.compare(period=period, before=period.previous("year"))
    assert found.now.requests > 0
    assert found.changes == dict.fromkeys(COMPARED)


@pytest.mark.parametrize("days", [1, 7, DAYS])
def test_visitors_of_any_range(events, days):
    period = periods.last_days(days, NOW)
    for audience in EVERYONE:
        found = queries.visitors(period=period, audiences=(audience,))
        assert (
            found
            == naive(within(events, period.start, period.end, (audience,)))["visitors"]
        )
    route = [one for one in events if one.route == "/quick/" and not audience_of(one)]
    assert (
        queries.visitors(period=period, dimension="route", key="/quick/")
        == naive(within(route, period.start, period.end))["visitors"]
    )


def test_another_site_is_another_world(events):
    elsewhere = {"period": periods.last_days(DAYS, NOW), "site": "elsewhere"}
    assert queries.visitors(**elsewhere) == 0
    assert queries.percentiles(**elsewhere) == dict.fromkeys(RANKS)
    assert queries.histogram(**elsewhere).counts == ()
    before = elsewhere["period"].previous()
    assert queries.compare(before=before, **elsewhere).now.requests == 0


def test_what_a_dimension_does_not_keep(events, django_assert_num_queries):
    asked = {"period": periods.last_days(1, NOW), "dimension": "status", "key": "200"}
    with django_assert_num_queries(0):
        assert queries.visitors(**asked) is None
        for ask in (queries.percentiles, queries.histogram):
            with pytest.raises(queries.UnknownName, match="'status' keeps no duration"):
                ask(**asked)
    found = queries.totals(**asked)
    assert (found.visitors, found.latency, found.p50, found.p95) == (None,) * 4
    assert found.requests > 0


@pytest.mark.parametrize("ask", ["visitors", "percentiles", "histogram"])
def test_unknown_dimensions_are_refused(ask):
    with pytest.raises(queries.UnknownName):
        getattr(queries, ask)(period=periods.last_days(1, NOW), dimension="nothing")


@pytest.mark.parametrize("rank", [-1, 101])
def test_ranks_are_percent(events, rank):
    with pytest.raises(ValueError, match="from 0 to 100"):
        queries.percentiles(period=periods.last_days(1, NOW), ranks=(rank,))


NUMBERS_OF_QUERIES = {
    "totals": (1, {}),
    "visitors": (1, {}),
    "percentiles": (1, {"ranks": range(101)}),
    "histogram": (1, {}),
    "compare": (2, {"before": True}),
    "top": (1, {"dimension": "route"}),
    "top, compared": (2, {"dimension": "route", "before": True}),
    "per_key": (1, {"dimension": "route", "keys": list(SHAPES)}),
    "note": (0, {}),
}


@pytest.mark.parametrize("days", [1, 90, 365])
@pytest.mark.parametrize("name", NUMBERS_OF_QUERIES)
def test_the_number_of_queries_is_the_same_for_all_periods(
    events, name, days, django_assert_num_queries
):
    number, words = NUMBERS_OF_QUERIES[name]
    period = periods.last_days(days, NOW)
    if "before" in words:
        words = words | {"before": period.previous()}
    queries.note(period=period)  # Asks how long rows are kept, as the first one does.
    with django_assert_num_queries(number):
        getattr(queries, name.partition(",")[0])(period=period, **words)


@pytest.mark.parametrize("days", [1, 90, 365])
def test_a_series_asks_once_more_where_nothing_was_counted(
    events, days, django_assert_max_num_queries
):
    period = periods.last_days(days, NOW)
    queries.note(period=period)
    with django_assert_max_num_queries(2):
        queries.series(period=period, measure="p95")
