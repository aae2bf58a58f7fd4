"""A dimension is asked for keys once for events that agree in what it reads."""

import random
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.recording.event import RequestEvent
from analytics.rollup.columns import Columns
from analytics.rollup.dimensions import Dimension, get_dimensions
from analytics.rollup.keys import keys_of
from products.dimensions import CATEGORY, DETAIL
from tests.analytics.recording.events import event

UTC = ZoneInfo("UTC")


def all_sorts(count: int = 300) -> list[RequestEvent]:
    """Events that differ in every field that a key may be made of."""
    dice = random.Random(7)
    return [
        event(
            method=dice.choice(("GET", "POST", "BREW")),
            route=dice.choice(("", "/a/", "/b/")),
            view=dice.choice((DETAIL, CATEGORY, "home")),
            status=dice.choice((200, 301, 304, 404, 500)),
            exception=dice.choice(("", "KeyError")),
            user=dice.choice(("", "1")),
            referrer=dice.choice(("", "a.example.org")),
            language=dice.choice(("", "de-at", "en")),
            agent=dice.choice(("", "curl/8.5.0", "Mozilla/5.0 Firefox/140.0")),
            kwargs=dice.choice(({}, {"slug": "pen"}, {"slug": "cup"})),
            host=dice.choice(("", "example.org")),
            campaign=dice.choice(("", "news / mail / -")),
            country=dice.choice(("", "AT")),
            path=dice.choice(("", "/a/7/")),
        )
        for _ in range(count)
    ]


def found(dimension: Dimension, events: list[RequestEvent]) -> list[tuple[int, str]]:
    """The place of each event that is counted, with its key."""
    index, codes, keys = keys_of(Columns(events, UTC), dimension)
    return [(place, keys[code]) for place, code in zip(index, codes, strict=True)]


@pytest.mark.parametrize("dimension", get_dimensions(), ids=lambda one: one.name)
def test_what_a_key_reads_is_declared(dimension):
    events = all_sorts()
    dimension = replace(dimension, resolve=None)
    assert dimension.reads is not None
    assert found(dimension, events) == found(replace(dimension, reads=None), events)


def test_a_key_is_made_once_for_events_that_agree():
    asked = []

    def key(event):
        asked.append((event.route, event.status))
        return event.route

    events = [event(route=route, status=200) for route in ("/b/", "/a/", "/b/", "/a/")]
    dimension = Dimension(name="a", label="", key=key, reads=("route", "status"))
    assert found(dimension, events) == list(enumerate(("/b/", "/a/", "/b/", "/a/")))
    assert asked == [("/b/", 200), ("/a/", 200)]


def test_several_keys_are_spread_in_the_order_of_events():
    events = [event(language=text) for text in ("ab", "", "c", "ab", "ca")]
    dimension = Dimension(
        name="several",
        label="",
        key=lambda event: tuple(event.language) or None,
        reads=("language",),
    )
    texts = [(0, "a"), (0, "b"), (2, "c"), (3, "a"), (3, "b"), (4, "c"), (4, "a")]
    assert found(dimension, events) == texts


def test_keys_that_are_one_when_cut_count_an_event_once():
    long = Dimension(
        name="long", label="", key=lambda event: ("a" * 300, "a" * 250), reads=()
    )
    assert found(long, [event(), event()]) == [(0, "a" * 200), (1, "a" * 200)]


@pytest.mark.parametrize("length", [193, 194, 195, 200])
def test_a_long_route_keeps_its_status(length):
    route_status = next(one for one in get_dimensions() if one.name == "route_status")
    events = [event(route="/" * length, status=status) for status in (200, 500)]
    keys = [key for _, key in found(route_status, events)]
    cut = "/" * min(length, 194)
    assert keys == [f"{cut} × 200", f"{cut} × 500"]


def test_codes_point_to_keys():
    index, codes, keys = keys_of(Columns(all_sorts(), UTC), get_dimensions()[0])
    assert keys == [""]
    assert np.array_equal(index, np.arange(300))
    assert not codes.any()
