"""Rows in the table: merging in any split and order equals folding at once."""

import datetime
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.models import Producer, Rollup
from analytics.rollup import store
from analytics.rollup.buckets import Grain
from analytics.rollup.columns import PEOPLE
from analytics.rollup.dimensions import BUILT_IN, OTHER, Dimension
from analytics.rollup.fold import Measures, fold
from analytics.rollup.sketches import Histogram, Visitors

from .test_fold import BERLIN, DIMENSIONS, EVENTS, FEW_ROUTES, page, sums_of

SITE = "test"
DAY = 1_792_879_200
DAY_MS = 86_400_000

pytestmark = pytest.mark.django_db

# The table is emptied at the start of each example.
examples = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def count(events, dimensions):
    """What a drain does with the events of one transaction."""
    rows = fold(events, dimensions, BERLIN, store.Admission(SITE))
    store.add_existing(SITE, rows)
    store.save_rows(SITE, rows)


def table(site=SITE):
    """The rows of the table, as `fold` would return them."""
    return {
        (
            row.dimension,
            row.grain,
            int(row.bucket.timestamp()),
            row.key,
            row.audience,
        ): row
        for row in Rollup.objects.filter(site=site)
    }


def assert_table(expected):
    found = table()
    assert set(found) == set(expected)
    for row, measures in expected.items():
        assert sums_of(found[row]) == sums_of(measures), row
        assert found[row].latency == measures.latency, row
        assert found[row].visitors == measures.visitors, row


def everything(dimension, day, keys):
    return set(keys)


@examples
@given(
    events=EVENTS, cuts=st.lists(st.integers(0, 40), max_size=4), random=st.randoms()
)
def test_any_split_in_any_order_equals_folding_at_once(events, cuts, random):
    Rollup.objects.all().delete()
    edges = [0, *sorted(cuts), len(events)]
    parts = [events[a:b] for a, b in pairwise(edges)]
    random.shuffle(parts)
    for part in parts:
        count(part, BUILT_IN)
    assert_table(fold(events, BUILT_IN, BERLIN, everything))


@examples
@given(events=EVENTS, size=st.integers(1, 20))
def test_a_cap_holds_over_transactions(events, size):
    Rollup.objects.all().delete()
    for start in range(0, len(events), size):
        count(events[start : start + size], DIMENSIONS)
    keys = defaultdict(set)
    for _, grain, bucket, key, _ in (row for row in table() if row[0] == "few"):
        if grain == Grain.DAY and key != OTHER:
            keys[bucket].add(key)
    assert all(len(found) <= FEW_ROUTES.cap for found in keys.values())
    assert requests("few", Grain.DAY) == requests("total", Grain.DAY) == len(events)
    assert requests("few", Grain.HOUR) == len(events)


def requests(dimension, grain):
    return sum(
        row.requests for key, row in table().items() if key[:2] == (dimension, grain)
    )


def test_a_day_admits_its_first_keys_and_knows_them_again():
    admission = store.Admission(SITE)
    assert admission(FEW_ROUTES, DAY, ["/b/", "/a/", "/c/"]) == {"/b/", "/a/"}
    save_keys("few", ["/b/"])
    assert admission(FEW_ROUTES, DAY, ["/c/", "/b/", "/d/"]) == {"/c/", "/b/"}
    save_keys("few", ["/c/", OTHER])
    assert admission(FEW_ROUTES, DAY, ["/a/", "/b/"]) == {"/b/"}


def test_each_day_site_and_dimension_admits_for_itself():
    save_keys("few", ["/a/", "/b/"])
    tomorrow = DAY + 90_000
    other = Dimension(name="other", label="Other", key=lambda event: "", cap=2)
    assert store.Admission(SITE)(FEW_ROUTES, tomorrow, ["/c/"]) == {"/c/"}
    assert store.Admission("b")(FEW_ROUTES, DAY, ["/c/"]) == {"/c/"}
    assert store.Admission(SITE)(other, DAY, ["/c/"]) == {"/c/"}
    assert store.Admission(SITE)(FEW_ROUTES, DAY, ["/c/"]) == set()


def save_keys(dimension, keys, site=SITE):
    """A row of one request for each key, on `DAY`."""
    rows = {
        (dimension, int(Grain.DAY), DAY, key, PEOPLE): Measures(requests=1)
        for key in keys
    }
    store.save_rows(site, rows)


@pytest.mark.parametrize("number", [1, store.KEYS_IN_QUERY + 1, 1_200])
def test_many_rows_are_written_and_merged(number):
    keys = [f"/{n}/" for n in range(number)]
    save_keys("few", keys)
    rows = {
        ("few", int(Grain.DAY), DAY, key, PEOPLE): Measures(requests=n)
        for n, key in enumerate(keys)
    }
    store.add_existing(SITE, rows)
    store.save_rows(SITE, rows)
    found = {row[3]: measures.requests for row, measures in table().items()}
    assert found == {key: n + 1 for n, key in enumerate(keys)}


def test_saving_writes_over_what_was_there():
    save_keys("few", ["/a/"])
    row = ("few", int(Grain.DAY), DAY, "/a/", PEOPLE)
    new = Measures(7, 6, 5, 4, 3, Histogram.of([1, 2]), Visitors())
    new.visitors.add(5)
    store.save_rows(SITE, {row: new})
    assert_table({row: new})


def test_nothing_is_read_from_another_site():
    save_keys("few", ["/a/"], site="b")
    count([page(route="/a/", time=DAY * 1000)], [FEW_ROUTES])
    assert requests("few", Grain.DAY) == 1
    assert [row.requests for row in table("b").values()] == [1]


def test_keys_are_data():
    """A key may hold anything that prints: quotes, percent signs, another alphabet."""
    for _ in range(2):
        count([page(route="/'%s\";ключ--/", time=DAY * 1000)], [FEW_ROUTES])
    assert [(r[3], m.requests) for r, m in table().items() if r[1] == Grain.DAY] == [
        ("/'%s\";ключ--/", 2)
    ]


def test_reading_takes_a_query_for_each_dimension_and_grain(
    django_assert_max_num_queries,
):
    events = [page(time=DAY * 1000 + n * DAY_MS // 8) for n in range(20)]
    rows = fold(events, BUILT_IN, BERLIN, everything)
    series = {row[:2] for row in rows}
    with django_assert_max_num_queries(len(series)):
        store.add_existing(SITE, rows)


def test_ledger_lines_are_written_as_they_are():
    now = datetime.datetime(2026, 10, 25, 12, tzinfo=datetime.UTC)
    line = Producer(site=SITE, producer="p", host="a", seen=now, recorded=3)
    store.save_lines([line])
    line.recorded, line.expected, line.counted, line.lost = 5, 4, 3, 1
    store.save_lines([line])
    saved = Producer.objects.get(site=SITE, producer="p")
    assert (saved.recorded, saved.expected, saved.counted, saved.lost) == (5, 4, 3, 1)
    assert saved.seen == now
