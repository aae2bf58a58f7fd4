"""Folding in columns gives what counting one event after the other gives."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.db import OperationalError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.recording.event import NOBODY, RequestEvent
from analytics.rollup import columns as columns_module
from analytics.rollup.bots import is_bot
from analytics.rollup.buckets import Grain, bucket_epoch
from analytics.rollup.columns import BOTS, PEOPLE, STAFF
from analytics.rollup.dimensions import BUILT_IN, KEY_LIMIT, OTHER, Dimension
from analytics.rollup.fold import fold
from analytics.rollup.sketches import Histogram, Visitors
from tests.analytics.recording import events as events_module

BERLIN = ZoneInfo("Europe/Berlin")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
# Around the night in which Berlin's clocks are set back.
FIRST_MS = 1_792_872_000_000
SPAN_MS = 36 * 3_600_000

PAGE = events_module.event(time=FIRST_MS, route="/", view="home", agent=BROWSER)
SEVERAL = Dimension(
    name="several",
    label="Several keys",
    key=lambda event: tuple(event.language) or None,
    cap=2,
    latency=True,
    visitors=True,
)
FEW_ROUTES = Dimension(name="few", label="Capped", key=lambda e: e.route, cap=2)
STORED = {"a": "A", "aa": "A", "ab": "AB", "b": "A"}
"""What the database knows of the keys "a", "b", "c", "d"; of some it knows nothing."""
RESOLVED = Dimension(
    name="resolved",
    label="Resolved",
    key=lambda event: tuple(event.language) or None,
    resolve=lambda keys: {key: STORED[key] for key in keys if key in STORED},
)
DIMENSIONS = (*BUILT_IN, SEVERAL, FEW_ROUTES, RESOLVED)

EVENTS = st.lists(
    st.builds(
        RequestEvent,
        time=st.integers(FIRST_MS, FIRST_MS + SPAN_MS),
        method=st.sampled_from(["GET", "POST", "BREW"]),
        route=st.sampled_from(["", "/", "/a/", "/b/", "/c/"]),
        view=st.just(""),
        status=st.sampled_from([200, 304, 404, 500, 503]),
        duration=st.one_of(st.integers(0, 10**6), st.just(2**40)),
        bytes=st.one_of(st.integers(0, 10**5), st.just(2**40)),
        exception=st.sampled_from(["", "", "ValueError", "KeyError"]),
        user=st.sampled_from(["", "", "1", "2"]),
        staff=st.booleans(),
        visitor=st.integers(0, 30),
        referrer=st.sampled_from(["", "a.example.org", "b.example.org"]),
        language=st.sampled_from(["", "a", "ab", "aa", "bcd"]),
        agent=st.sampled_from([BROWSER, "", "curl/8.5.0"]),
        page=st.booleans(),
        kwargs=st.just({}),
        host=st.sampled_from(["", "example.org"]),
        campaign=st.sampled_from(["", "news / mail / -"]),
        country=st.sampled_from(["", "AT"]),
        path=st.sampled_from(["", "/a"]),
    ),
    max_size=40,
)


def page(**changes):
    return msgspec.structs.replace(PAGE, **changes)


def first_keys(dimension, day, keys):
    """As a day that has no rows yet admits them."""
    return set(keys[: dimension.cap])


@dataclass
class Sum:
    sums: list[int] = field(default_factory=lambda: [0] * 5)
    durations: list[int] = field(default_factory=list)
    visitors: set[int] = field(default_factory=set)

    def add(self, event):
        failed = event.status >= 500 or bool(event.exception)
        row = (1, event.page, failed, event.bytes, event.duration)
        self.sums = list(map(sum, zip(self.sums, row, strict=True)))
        if event.duration:
            self.durations.append(event.duration)
        if event.visitor != NOBODY:
            self.visitors.add(event.visitor)


def naive(events, dimensions, zone):
    """Rows by counting one event after the other."""
    rows = defaultdict(Sum)
    admitted = defaultdict(list)
    for dimension in dimensions:
        for event in events:
            second = event.time // 1000
            day = bucket_epoch(second, Grain.DAY, zone)
            for key in keys_of(dimension, event):
                known = admitted[dimension.name, day]
                if key not in known and key != OTHER and len(known) < dimension.cap:
                    known.append(key)
                key = key if key in known else OTHER
                for grain in dimension.grains:
                    start = bucket_epoch(second, grain, zone)
                    row = (dimension.name, int(grain), start, key, audience(event))
                    rows[row].add(event)
    return rows


def keys_of(dimension, event):
    found = dimension.key(event)
    if found is None:
        return ()
    found = [found] if isinstance(found, str) else list(found)
    if dimension.resolve:
        found = [STORED[key] for key in found if key in STORED]
    return sorted(set(found), key=found.index)


def audience(event):
    return STAFF if event.staff else BOTS if is_bot(event.agent) else PEOPLE


def assert_same(rows, expected, dimensions):
    kinds = {dimension.name: dimension for dimension in dimensions}
    assert set(rows) == set(expected)
    for row, measures in rows.items():
        dimension, wanted = kinds[row[0]], expected[row]
        assert sums_of(measures) == wanted.sums, row
        durations = wanted.durations if dimension.latency else []
        assert measures.latency == Histogram.of(durations), row
        visitors = Visitors()
        visitors.add_many(wanted.visitors if dimension.visitors else [])
        assert measures.visitors == visitors, row


def sums_of(measures):
    return [
        measures.requests,
        measures.views,
        measures.errors,
        measures.bytes,
        measures.duration,
    ]


@settings(max_examples=150, deadline=None)
@given(EVENTS)
@example([page(bytes=2**52, duration=2**52), page(bytes=2**52 + 1, duration=2**52)])
def test_it_counts_what_a_naive_one_counts(events):
    rows = fold(events, DIMENSIONS, BERLIN, first_keys)
    assert_same(rows, naive(events, DIMENSIONS, BERLIN), DIMENSIONS)


@settings(max_examples=30, deadline=None)
@given(events=EVENTS)
def test_it_counts_the_same_where_ids_are_sorted(events):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns_module, "SPARSE", 0)
        rows = fold(events, DIMENSIONS, BERLIN, first_keys)
    assert_same(rows, naive(events, DIMENSIONS, BERLIN), DIMENSIONS)


@settings(max_examples=50, deadline=None)
@given(EVENTS)
def test_other_and_the_keys_make_the_total(events):
    rows = fold(events, DIMENSIONS, BERLIN, first_keys)
    for grain in (Grain.HOUR, Grain.DAY):
        assert totals(rows, "few", grain) == totals(rows, "total", grain)
        assert totals(rows, "status", grain) == totals(rows, "total", grain)


def totals(rows, name, grain):
    """Sums by bucket and audience, over all keys of a dimension."""
    found = defaultdict(lambda: [0] * 5)
    for (dimension, row_grain, bucket, _, who), measures in rows.items():
        if dimension == name and row_grain == grain:
            sums = zip(found[bucket, who], sums_of(measures), strict=True)
            found[bucket, who] = list(map(sum, sums))
    return found


@pytest.mark.parametrize("durations", [(0, 0), (0, 1_500, 0)])
def test_durations_that_are_not_known_are_in_the_sum_alone(durations):
    events = [page(duration=duration) for duration in durations]
    rows = fold(events, BUILT_IN, BERLIN, first_keys)
    known = list(filter(None, durations))
    for row, measures in rows.items():
        if row[0] in ("total", "route"):
            assert measures.requests == len(durations)
            assert measures.duration == sum(known)
            assert measures.latency == Histogram.of(known)


def test_nothing_makes_no_rows():
    assert fold([], DIMENSIONS, BERLIN, first_keys) == {}


def test_keys_that_are_one_when_cut_are_one_row():
    long = Dimension(name="long", label="Long", key=lambda event: event.agent)
    events = [page(agent="a" * KEY_LIMIT + end) for end in ("x", "y")]
    rows = fold(events, [long], BERLIN, first_keys)
    found = {row[3]: measures.requests for row, measures in rows.items()}
    assert found == {"a" * KEY_LIMIT: 2}


def test_a_key_named_other_joins_those_over_the_cap():
    capped = Dimension(name="capped", label="Capped", key=lambda e: e.route, cap=1)
    events = [page(route=route) for route in (OTHER, "/a/", "/b/", OTHER)]
    rows = fold(events, [capped], BERLIN, first_keys)
    days = {row[3]: m.requests for row, m in rows.items() if row[1] == Grain.DAY}
    assert days == {"/a/": 1, OTHER: 3}


def test_the_cap_asks_for_keys_in_order_of_appearance():
    asked = []

    def admit(dimension, day, keys):
        asked.append(keys)
        return set(keys)

    events = [page(route=route) for route in ("/b/", "/a/", "/b/", "/c/")]
    fold(events, [FEW_ROUTES], BERLIN, admit)
    assert asked == [["/b/", "/a/", "/c/"]]


def test_keys_are_resolved_once_for_all_events():
    asked = []

    def resolve(keys):
        asked.append(keys)
        return {"/a/": "1", "/b/": "1"}

    resolved = replace(FEW_ROUTES, resolve=resolve)
    events = [page(route=route) for route in ("/a/", "/b/", "/a/", "/gone/")]
    rows = fold(events, [resolved], BERLIN, first_keys)
    days = {row[3]: m.requests for row, m in rows.items() if row[1] == Grain.DAY}
    assert days == {"1": 3}
    assert asked == [["/a/", "/b/", "/gone/"]]


def test_a_mistake_of_an_app_in_resolving_stops_nothing_else(caplog):
    def resolve(keys):
        raise KeyError(keys)

    rows = fold([PAGE], [replace(FEW_ROUTES, resolve=resolve)], BERLIN, first_keys)
    assert rows == {}
    assert "few" in caplog.text


def test_a_database_that_is_away_stops_the_fold_so_that_nothing_is_missed():
    def resolve(keys):
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        fold([PAGE], [replace(FEW_ROUTES, resolve=resolve)], BERLIN, first_keys)


def test_a_key_called_none_is_no_missing_key():
    texts = ("", "None", "a", "")
    events = [msgspec.structs.replace(PAGE, referrer=text) for text in texts]
    names = Dimension(name="names", label="", key=lambda e: e.referrer or None)
    asked = []

    def resolve(keys):
        asked.extend(keys)
        return {key: key for key in keys}

    for dimension in (names, replace(names, resolve=resolve)):
        rows = fold(events, [dimension], BERLIN, lambda _, day, keys: set(keys))
        days = {row[3]: rows[row].requests for row in rows if row[1] == Grain.DAY}
        assert days == {"None": 1, "a": 1}
    assert asked == ["None", "a"]
