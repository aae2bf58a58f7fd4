"""Who is no customer in the demo: crawlers, a monitor, a scanner, and the staff.

Takes dice, and returns a day's requests as arrays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .columns import (
    AGENTS,
    BROWSERS,
    CRAWLERS,
    MONITOR,
    NO_PRODUCT,
    SCANNER,
    Requests,
    pages,
    visitor_numbers,
)
from .goods import Goods
from .pages import CODES
from .plan import SCAN, Day, Plan

CRAWLED = {"detail": 60, "category": 10, "list": 13, "home": 4, "about": 2}
CRAWLED |= {"missing": 11}
CRAWLS, PROBES, SCANS = 0.13, 0.05, 0.6
"""Requests of each, for every request of people."""
ADDRESSES = 3
"""From how many addresses each crawler comes."""
SCAN_HOURS = (3, 5)
OFFICE = (9, 17.5)
STAFF = 4
EVENING = 0.3
"""What is left of the staff at the weekend."""
SHIFT = ("login", "admin", "products", "product", "save", "products", "product", "save")
PAUSE = 240
"""Seconds that staff looks at a page, at most."""
ROBOTS, COLLEAGUES = 3 * 10**15, 4 * 10**15
"""Beyond the numbers of people."""


def others(
    dice: np.random.Generator, plan: Plan, day: Day, goods: Goods, people: int
) -> Iterator[Requests]:
    """Everything that is not for people, on a day on which they made ``people``."""
    yield _crawl(dice, plan, day, goods, int(people * CRAWLS))
    yield _probes(plan, day, max(1, int(people * PROBES)))
    if day.number == plan.at(SCAN):
        yield _scan(dice, plan, day, int(people * SCANS))
    yield from _staff(dice, plan, day)


def _crawl(
    dice: np.random.Generator, plan: Plan, day: Day, goods: Goods, count: int
) -> Requests:
    """Every product is as good as the other, every hour too."""
    page = pages(dice, CRAWLED, count)
    exists = np.flatnonzero(goods.weights(plan, day.number))
    product = np.where(page == CODES["detail"], dice.choice(exists, count), NO_PRODUCT)
    first, end = _edges(day)
    crawler = dice.integers(len(CRAWLERS), size=count)
    person = ROBOTS + crawler * ADDRESSES + dice.integers(ADDRESSES, size=count)
    return _made(
        plan,
        dice.integers(first, end, count),
        page,
        person,
        crawler + len(BROWSERS),
        product=product,
    )


def _probes(plan: Plan, day: Day, count: int) -> Requests:
    """A monitor asks all day long, evenly."""
    first, end = _edges(day)
    time = np.linspace(first, end, count, endpoint=False).astype(np.int64)
    page = np.full(count, CODES["probe"])
    agent = np.full(count, AGENTS.index(MONITOR))
    return _made(plan, time, page, np.full(count, ROBOTS + 100), agent)


def _scan(dice: np.random.Generator, plan: Plan, day: Day, count: int) -> Requests:
    """Somebody looks for holes, in one night."""
    time = dice.integers(*day.hours(*SCAN_HOURS), count)
    agent = np.full(count, AGENTS.index(SCANNER))
    page = np.full(count, CODES["missing"])
    return _made(plan, time, page, np.full(count, ROBOTS + 101), agent)


def _staff(dice: np.random.Generator, plan: Plan, day: Day) -> Iterator[Requests]:
    """Who works today signs in, and looks after some products."""
    weekend = day.date.weekday() >= 5
    for person in range(STAFF):
        if dice.random() > (EVENING if weekend else 0.9):
            continue
        shift = np.array([CODES[name] for name in SHIFT])
        shift = shift[: int(dice.integers(3, len(SHIFT) + 1))]
        start = dice.uniform(*OFFICE) * 3_600_000
        time = start + np.cumsum(dice.uniform(2, PAUSE, len(shift)) * 1000)
        yield _made(
            plan,
            _edges(day)[0] + time.astype(np.int64),
            shift,
            np.full(len(shift), COLLEAGUES + person),
            np.full(len(shift), person % len(BROWSERS)),
            staff=True,
        )


def _edges(day: Day) -> tuple[int, int]:
    return int(day.start.timestamp() * 1000), int(day.end.timestamp() * 1000)


def _made(
    plan: Plan,
    time: np.ndarray,
    page: np.ndarray,
    person: np.ndarray,
    agent: np.ndarray,
    product: np.ndarray | None = None,
    staff: bool = False,
) -> Requests:
    count = len(time)
    return Requests(
        time=time,
        page=page,
        product=np.full(count, NO_PRODUCT) if product is None else product,
        visitor=visitor_numbers(plan.seed, person),
        referrer=np.zeros(count, int),
        agent=agent,
        staff=np.full(count, staff),
    )
