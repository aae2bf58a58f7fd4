"""Whatever is asked of the tables is what counting one request after the other gives.

Random requests in random batches and orders; every dimension, audience, and a random
range of each example. The keys are known by hand: see ``known``.
"""

import datetime
import random

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from analytics.reporting import periods, queries
from analytics.rollup.dimensions import OTHER, get_dimensions
from analytics.rollup.direct import count_events
from tests.analytics.reporting.known import (
    ASKED,
    PAGES,
    SUMS,
    WHO,
    Shelf,
    by_key,
    known,
    measures,
    some_known,
    summed,
    within,
)

pytestmark = [
    pytest.mark.django_db,
    # A failure prints its requests, of which there are many.
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning"),
]

# In the middle of the series: days of 25 and of 23 hours where there are such.
PLACES = [
    ("Europe/Berlin", "2026-10-25"),
    ("Europe/Berlin", "2026-03-29"),
    ("America/New_York", "2026-11-01"),
    ("America/New_York", "2026-03-08"),
    ("Asia/Kolkata", "2026-10-25"),
    ("Asia/Kathmandu", "2026-03-29"),
]
EVERYONE = (0, 1, 2)
AUDIENCES = ((0,), (1,), (2,), (0, 2), EVERYONE)
HOUR = datetime.timedelta(hours=1)
AGES = (30, 47, 200 * 24)
"""Hours from the noon of the place to now; at the last one no hours are kept."""
YEAR = 365 * 24
examples = settings(
    max_examples=5,
    deadline=None,
    # To shrink such examples takes minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


def moments(noon: datetime.datetime, now: datetime.datetime):
    """Of each hour near the place's day, and of days a week and a year before: to the
    second, around the edges of minutes, hours and days."""
    dice = random.Random(int(noon.timestamp()))
    hours = [*range(-40, 48), *range(-200, -170, 2), *range(-YEAR - 9, 25 - YEAR, 2)]
    edges = (-0.001, 0, 59.999, 60, dice.uniform(0, 3_600))
    found = [
        noon + hour * HOUR + datetime.timedelta(seconds=dice.choice(edges))
        for hour in hours
    ]
    # A day ago, where a running period is cut to the minute.
    found += [now - (24 + dice.uniform(-0.5, 0.7)) * HOUR for _ in range(40)]
    return [moment for moment in found if moment <= now]


def count_in_batches(dice: random.Random, many) -> None:
    events = [one.event for one in many]
    dice.shuffle(events)
    while events:
        size = dice.randrange(1, 40)
        count_events(events[:size], "(test)")
        events = events[size:]


def some_period(dice: random.Random, noon: datetime.datetime, now: datetime.datetime):
    """Any two dates, a range with a name, or what one of them is compared with."""
    if dice.random() < 0.3:
        # The only ones that are made of days, hours and minutes.
        return periods.last_days(dice.choice((1, 2, 7)), now).previous()
    day = noon.astimezone(queries.get_config().zone).date()
    first = day + datetime.timedelta(days=dice.choice((-360, -9, -2, -1, 0, 0, 1)))
    last = first + datetime.timedelta(days=dice.choice((0, 0, 1, 3, 8, 400)))
    if dice.random() < 0.6:
        period = periods.between(first, last, now)
    else:
        period = periods.named(dice.choice(list(periods.RANGES)), now)
    comparison = dice.choice((None, None, *periods.COMPARISONS))
    return period.previous(comparison) if comparison else period


def assert_sums(many, dimension, period, audiences, measure) -> None:
    """All keys at once, with their share, and as many of them as are asked for."""
    question = {"period": period, "audiences": audiences, "measure": measure}
    sums = summed(many, dimension, measure)
    listed = {key: sums[key] for key in sums if sums[key] and key != OTHER}
    found = queries.top(dimension=dimension, limit=3, **question)
    wanted = sorted(listed.items(), key=lambda item: (-item[1], item[0]))
    assert [(row.key, row.value) for row in found.rows] == wanted[:3]
    if wanted:
        assert (found.total, found.found) == (sums.total(), len(wanted))
        assert found.others == sums.total() - sum(value for _, value in wanted[:3])
    keys = [*sums, "no such key"]
    assert queries.per_key(dimension=dimension, keys=keys, **question) == sums


def assert_key(many, dimension, key, period, audiences) -> None:
    """One key over the whole period, and in each of its buckets."""
    kept = period.of_dimension(dimension)
    question = {"dimension": dimension.name, "key": key, "audiences": audiences}
    asked = within(many, kept.start, kept.end, audiences)
    some = by_key(asked, dimension.name).get(key, [])
    wanted = measures(some)
    found = queries.totals(period=period, **question)
    for name in ("requests", "views", "errors", "bytes"):
        assert getattr(found, name) == wanted[name], (dimension.name, key, name)
    assert found.visitors == (wanted["visitors"] if dimension.visitors else None)
    name = "visitors" if dimension.visitors else "requests"
    series = queries.series(period=period, measure=name, **question)
    edges = (*kept.buckets(), kept.end)
    assert series.buckets == edges[:-1]
    for start, end, value in zip(edges, edges[1:], series.values, strict=False):
        expected = measures(within(some, start, end, audiences))[name]
        if start > period.now:
            assert value is None
        elif within(many, start, end, EVERYONE):
            assert value == expected, (dimension.name, key, start)
        else:
            # Whether it is a gap is for the ledger to tell, which is not here.
            assert value in (0, None)


@pytest.fixture
def shelf(db):
    return Shelf()


def test_every_dimension_is_known_here(shelf):
    one = known(shelf, timezone.now(), WHO[0], PAGES[0], ASKED[0], 0)
    assert set(one.keys) == {dimension.name for dimension in get_dimensions()}


def now_at(noon: datetime.datetime, age: int) -> datetime.datetime:
    return noon + age * HOUR + datetime.timedelta(minutes=37, seconds=42)


@pytest.mark.parametrize(("zone", "day"), PLACES)
def test_any_question_has_the_answer_of_a_naive_count(
    site, shelf, monkeypatch, zone, day
):
    site.TIME_ZONE = zone
    noon = datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    requests = {
        age: some_known(shelf, moments(noon, now_at(noon, age))) for age in AGES
    }

    @examples
    @example((AGES[0], []), 0)
    @given(
        st.sampled_from(AGES).flatmap(
            lambda age: st.tuples(st.just(age), requests[age])
        ),
        st.integers(0, 10**6),
    )
    def agree(asked, seed):
        age, many = asked
        now, dice = now_at(noon, age), random.Random(seed)
        monkeypatch.setattr(timezone, "now", lambda: now)
        with transaction.atomic():
            count_in_batches(dice, many)
            for dimension in get_dimensions():
                period = some_period(dice, noon, now)
                assert_dimension(dice, many, dimension, period)
            transaction.set_rollback(True)

    agree()


def assert_dimension(dice: random.Random, many, dimension, period) -> None:
    assert_whole_days(period)
    kept, audiences = period.of_dimension(dimension), dice.choice(AUDIENCES)
    some = within(many, kept.start, kept.end, audiences)
    assert_sums(some, dimension.name, period, audiences, dice.choice(SUMS))
    key = dice.choice([*by_key(some, dimension.name), "no such key"])
    assert_key(many, dimension, key, period, audiences)


def assert_whole_days(period) -> None:
    """From midnight to midnight, as the clocks of these zones show it every day."""
    after = period.last + datetime.timedelta(days=1)
    start, end = (
        datetime.datetime.combine(day, datetime.time(), period.zone)
        for day in (period.first, after)
    )
    assert period.start == start
    assert period.end == end if period.until is None else period.end < end
