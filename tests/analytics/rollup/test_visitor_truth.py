"""Visitors: the truth is how many different pairs of address and user agent asked.

Hundreds of crowds through the hash and the sketches, some through the whole site:
middleware, journal, Redis, drain, tables, query.
"""

import math
import random
import time

import pytest

from analytics.models import Audience
from analytics.recording import middleware
from analytics.recording.shipper import Shipment
from analytics.recording.visitor import VisitorHash
from analytics.reporting import periods, queries
from analytics.rollup.drain import Drain
from analytics.rollup.sketches import Visitors
from tests.analytics.recording.site import browser, recorded_site

TRIALS = 200
RMS_LIMIT = 0.015
WORST_LIMIT = 0.04
EXACT = 100
SMALLEST, LARGEST = 800, 12_000
"""Below so many a sketch keeps every number; larger crowds take long to make up."""
DAY_NS = 86_400 * 10**9
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
AGENTS = tuple(map(FIREFOX.format, range(60, 100)))


def crowd(seed: int, size: int) -> list[int]:
    """What the middleware makes of so many different pairs, at a site of its own."""
    number_of = VisitorHash(seed.to_bytes(32, "big")).of
    first = random.Random(seed).randrange(2**23)
    # Different numbers make different addresses, whichever way they are written.
    return [
        number_of(address(n), AGENTS[n % len(AGENTS)], "")
        for n in range(first, first + size)
    ]


def address(number: int) -> str:
    high, low = divmod(number, 65_536)
    if number % 20:
        return f"10.{high}.{low >> 8}.{low & 255}"
    return f"2001:db8:{high:x}:{low:x}::1"


def merged(numbers: list[int], seed: int) -> Visitors:
    """Cut into some parts, as hours and days do, and put together in another order."""
    dice = random.Random(seed)
    parts = dice.randrange(1, 30)
    sketches = [sketch(numbers[place::parts]) for place in range(parts)]
    # Most come again on another day.
    sketches.append(sketch(numbers[: len(numbers) // 2]))
    dice.shuffle(sketches)
    return Visitors.union(sketches)


def sketch(numbers: list[int]) -> Visitors:
    made = Visitors()
    made.add_many(numbers)
    return made


def test_crowds_of_all_sizes():
    steps = [n / (TRIALS - 1) for n in range(TRIALS)]
    sizes = [round(SMALLEST * (LARGEST / SMALLEST) ** step) for step in steps]
    errors = [
        merged(crowd(seed, size), seed).estimate() / size - 1
        for seed, size in enumerate(sizes)
    ]
    assert len(errors) >= TRIALS
    rms = math.sqrt(sum(error**2 for error in errors) / len(errors))
    worst = max(map(abs, errors))
    assert rms <= RMS_LIMIT, (rms, worst)
    assert worst <= WORST_LIMIT, (rms, worst)


def test_small_crowds_are_exact():
    for size in range(EXACT + 1):
        assert abs(merged(crowd(size, size), size).estimate() - size) <= 2


@pytest.mark.parametrize("size", [5, 900, 12_000])
def test_the_order_of_merging_is_irrelevant(size):
    numbers = crowd(size, size)
    first = merged(numbers, 1)
    for seed in range(2, 6):
        again = merged(numbers, seed)
        assert again.estimate() == first.estimate()
        assert again.to_bytes() == first.to_bytes()


class Week:
    """A site that is asked on seven days, and counted by a real drain."""

    def __init__(self, recorded, stream, monkeypatch) -> None:
        self._recorded, self._stream = recorded, stream
        self._patch = monkeypatch

    def asked_on(self, days_ago: int, address: str, agent: str) -> None:
        then = time.time_ns() - days_ago * DAY_NS
        self._patch.setattr(middleware, "time_ns", lambda: then)
        answer = browser(user_agent=agent).get("/ok/", REMOTE_ADDR=address)
        assert answer.status_code == 200

    def count(self) -> None:
        shipment = Shipment(self._recorded.recorder._journal, self._stream, 1_000)
        while shipment.step():
            pass
        Drain(self._stream).run()


@pytest.fixture
def week(db, stream, tmp_path, settings, monkeypatch):
    with recorded_site(tmp_path / "journal", settings, monkeypatch) as recorded:
        settings.ANALYTICS_SITE = "test"
        yield Week(recorded, stream, monkeypatch)


def test_fifty_people_on_seven_days_are_fifty(week):
    for days_ago in range(7):
        for person in range(50):
            week.asked_on(days_ago, f"198.51.100.{person}", FIREFOX.format(140))
    week.count()
    assert queries.totals(period=periods.last_days(7)).visitors == 50
    daily = queries.series(period=periods.last_days(7), measure="visitors").values
    assert daily == (50,) * 7
    in_all = queries.totals(period=periods.last_days(7), dimension="route", key="/ok/")
    assert (in_all.visitors, in_all.requests) == (50, 350)


def test_a_pair_is_a_visitor_whoever_shares_its_halves(week):
    """A household behind one address, and one browser at many addresses."""
    dice = random.Random(4)
    pairs = set()
    for _ in range(700):
        address = f"198.51.100.{dice.randrange(20)}"
        if dice.random() < 0.4:
            address = f"2001:db8:0:{dice.randrange(12)}::{dice.randrange(1, 99)}"
        agent = FIREFOX.format(dice.randrange(120, 126))
        week.asked_on(dice.randrange(7), address, agent)
        # A network gives each customer a /64, of which devices take what they like.
        pairs.add((address.partition("::")[0], agent))
    week.count()
    found = queries.totals(period=periods.last_days(7), audiences=tuple(Audience))
    assert found.requests == 700
    assert abs(found.visitors - len(pairs)) <= 2
