"""What people do in the demo: visits of some pages each, by day and night.

Takes dice, and returns a day's requests as arrays.
"""

from __future__ import annotations

import numpy as np

from .columns import (
    BROWSERS,
    NO_PRODUCT,
    OLD_LINKS,
    REFERRERS,
    SOURCES,
    Requests,
    pages,
    pick,
    referrers,
    visitor_numbers,
)
from .goods import Goods
from .pages import CODES
from .plan import Day, Plan

# By the clock, from midnight: how busy the hours are.
HOURS = (14, 8, 5, 3, 3, 5, 12, 24, 38, 50, 58, 62, 64, 58, 55, 56, 60, 66, 74, 86)
HOURS += (92, 80, 54, 28)
ENTRANCES = {"detail": 44, "home": 33, "category": 11, "list": 9, "about": 1.5}
ENTRANCES |= {"missing": 1.5}
STEPS = {"detail": 49, "category": 23, "list": 14, "home": 9, "about": 3, "prices": 2}
LEAVING = 0.32
"""How likely a page is the last one of its visit."""
LONGEST = 25
READING = (3.3, 0.9)
"""Seconds on a page: mean and deviation of their logarithm."""
NEW, RETURNING = 0.56, 0.24
"""Who has never been here, and who was some days ago; the others are regulars."""
FORGETTING = 0.16
"""The more, the sooner people return or never do."""
CROWD = 10_000_000
"""More than there are visits on a day: the numbers of a day's new persons."""
REGULARS = 10**15


def people(dice: np.random.Generator, plan: Plan, day: Day, goods: Goods) -> Requests:
    """Everything that people ask for on a day."""
    usual = plan.visits_on(day.number)
    extra = [(c, int(usual * part)) for c, part in plan.campaigns_on(day.number)]
    count = usual + sum(number for _, number in extra)
    first = pages(dice, ENTRANCES, count)
    source = referrers(dice, SOURCES, count)
    product = _products(dice, plan, day, goods, first)
    start = usual
    for campaign, number in extra:
        landing = slice(start, start := start + number)
        places = goods.places(campaign.products)
        if len(places):
            first[landing] = CODES["detail"]
            product[landing] = dice.choice(places, number)
        source[landing] = REFERRERS.index(campaign.referrer)
    old = first == CODES["missing"]
    source[old] = referrers(dice, OLD_LINKS, int(old.sum()))
    visitors = visitor_numbers(plan.seed, _persons(dice, plan, day, count))
    return _walked(dice, plan, day, goods, (first, product, source, visitors))


def _walked(
    dice: np.random.Generator,
    plan: Plan,
    day: Day,
    goods: Goods,
    visits: tuple[np.ndarray, ...],
) -> Requests:
    """The pages of each visit after the first; what is after midnight is cut."""
    first, product, source, visitors = visits
    lengths = np.minimum(dice.geometric(LEAVING, len(first)), LONGEST)
    visit = np.repeat(np.arange(len(first)), lengths)
    entry = np.cumsum(lengths) - lengths
    page = pages(dice, STEPS, len(visit))
    page[entry] = first
    shown = _products(dice, plan, day, goods, page)
    shown[entry] = product
    referrer = np.zeros(len(visit), int)
    referrer[entry] = source
    waited = np.cumsum(dice.lognormal(*READING, len(visit)) * 1000)
    time = _arrivals(dice, day, len(first))[visit] + waited - waited[entry][visit]
    visitor = visitors[visit]
    found = Requests(
        time=time.astype(np.int64),
        page=page,
        product=shown,
        visitor=visitor,
        referrer=referrer,
        agent=visitor % len(BROWSERS),
        staff=np.zeros(len(visit), bool),
    )
    return found.where(found.time < int(day.end.timestamp() * 1000))


def _products(
    dice: np.random.Generator, plan: Plan, day: Day, goods: Goods, page: np.ndarray
) -> np.ndarray:
    """A product for each product page."""
    product = np.full(len(page), NO_PRODUCT)
    shown = page == CODES["detail"]
    weights = goods.weights(plan, day.number)
    product[shown] = pick(dice, weights, int(shown.sum()))
    return product


def _persons(dice: np.random.Generator, plan: Plan, day: Day, count: int) -> np.ndarray:
    """Who comes: persons of today, of some days before, and regulars."""
    today = day.number * CROWD + np.arange(count)
    born = day.number - dice.geometric(FORGETTING, count)
    crowds = {number: plan.visits_on(number) for number in np.unique(born).tolist()}
    sizes = np.array([crowds[number] for number in born.tolist()])
    again = born * CROWD + (dice.random(count) * sizes * NEW).astype(np.int64)
    often = REGULARS + (plan.visits * dice.random(count) ** 2.5).astype(np.int64)
    luck = dice.random(count)
    persons = np.where(luck < NEW, today, again)
    # Numbers of days before the first one would be negative.
    return np.where(luck < NEW + RETURNING, persons, often) + REGULARS


def _arrivals(dice: np.random.Generator, day: Day, count: int) -> np.ndarray:
    """When visits begin, in milliseconds since 1970."""
    starts, hours = day.slots()
    ends = np.append(starts[1:], int(day.end.timestamp()))
    busy = np.interp(hours, np.arange(25), (*HOURS, HOURS[0])) * (ends - starts)
    slot = pick(dice, busy, count)
    return (starts[slot] + dice.random(count) * (ends - starts)[slot]) * 1000
