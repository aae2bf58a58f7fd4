"""A day of the demo as events: requests, and how they went.

Takes a plan and the goods; the same for the same seed. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np

from analytics.recording.event import RequestEvent

from .columns import AGENTS, LANGUAGES, REFERRERS, Requests, joined
from .goods import Goods
from .others import others
from .pages import CODES, PAGES, routes
from .people import people
from .plan import DEPLOY_HOURS, SLOW, Day, Plan

EXCEPTIONS = (
    "",
    "django.db.utils.OperationalError",
    "TimeoutError",
    "django.template.exceptions.TemplateSyntaxError",
)
DATABASE, TIMEOUT, TEMPLATE = 1, 2, 3
UNLUCKY = ((0.0008, DATABASE), (0.0003, TIMEOUT))
"""How likely a request fails, whatever the day, and of what."""
BROKEN = 0.6
"""How likely a product page failed in the bad version."""
LEFT, LEAVING = 499, 0.002
SPREAD = 0.5
"""Deviation of the logarithm of a page's time."""
SLOWNESS = 3.4
TIMEOUT_US = 30_000_000


def events_of(plan: Plan, day: Day, goods: Goods) -> list[RequestEvent]:
    """All requests of a day, in the order of their arrival."""
    dice = plan.dice(day.number)
    customers = people(dice, plan, day, goods)
    found = joined(
        (customers, *others(dice, plan, day, goods, len(customers))),
    )
    raised = _raised(dice, plan, day, found)
    status = _statuses(dice, plan, day, goods, found, raised)
    duration = _durations(dice, plan, day, found, raised)
    return _events(dice, goods, found, status, duration, raised)


def _raised(
    dice: np.random.Generator, plan: Plan, day: Day, found: Requests
) -> np.ndarray:
    """Which requests fail, as places in ``EXCEPTIONS``."""
    raised = np.zeros(len(found), int)
    luck = dice.random(len(found))
    viewed = found.page != CODES["missing"]
    edge = 0.0
    for likely, exception in UNLUCKY:
        raised[viewed & (luck >= edge) & (luck < edge + likely)] = exception
        edge += likely
    if day.number == plan.bad_deploy:
        first, end = day.hours(*DEPLOY_HOURS)
        out = (found.time >= first) & (found.time < end) & (luck > 1 - BROKEN)
        raised[out & (found.page == CODES["detail"])] = TEMPLATE
    return raised


def _statuses(
    dice: np.random.Generator,
    plan: Plan,
    day: Day,
    goods: Goods,
    found: Requests,
    raised: np.ndarray,
) -> np.ndarray:
    status = np.array([page.status for page in PAGES.values()])[found.page]
    status[np.isin(found.product, goods.withdrawn(plan, day.number))] = 404
    status[dice.random(len(found)) < LEAVING] = LEFT
    status[raised > 0] = 500
    return status


def _durations(
    dice: np.random.Generator, plan: Plan, day: Day, found: Requests, raised: np.ndarray
) -> np.ndarray:
    """Microseconds: what the page takes, more or less."""
    medians = np.array([page.median * 1000 for page in PAGES.values()])[found.page]
    slow = SLOWNESS if day.number == plan.at(SLOW) else 1
    times = medians * slow * np.exp(SPREAD * dice.standard_normal(len(found)))
    times[raised == TIMEOUT] = TIMEOUT_US
    return times.astype(np.int64)


def _events(
    dice: np.random.Generator,
    goods: Goods,
    found: Requests,
    status: np.ndarray,
    duration: np.ndarray,
    raised: np.ndarray,
) -> list[RequestEvent]:
    kinds = PAGES.values()
    whole = status < 400
    html = np.array([page.html and page.method == "GET" for page in kinds])[found.page]
    sizes = np.array([page.size for page in kinds])[found.page]
    size = sizes * dice.uniform(0.9, 1.1, len(found)) * np.where(whole, 1, 0.3)
    return list(
        map(
            RequestEvent,
            found.time.tolist(),
            _texts([page.method for page in kinds], found.page),
            _texts(routes(), found.page),
            _texts([page.view for page in kinds], found.page),
            status.tolist(),
            duration.tolist(),
            size.astype(np.int64).tolist(),
            _texts(EXCEPTIONS, raised),
            repeat(""),
            found.staff.tolist(),
            found.visitor.tolist(),
            _texts(REFERRERS, found.referrer),
            _texts(LANGUAGES, _languages(found)),
            _texts(AGENTS, found.agent),
            (html & (status == 200)).tolist(),
            _kwargs(goods, found.product),
        )
    )


def _languages(found: Requests) -> np.ndarray:
    """A person speaks one language; most speak the first."""
    share = (found.visitor // 64 % 100) / 100
    return np.searchsorted((0.52, 0.74, 0.84, 0.91, 0.97), share, side="right")


def _texts(table: Sequence[str], places: np.ndarray) -> list[str]:
    return np.array(table, object)[places].tolist()


def _kwargs(goods: Goods, product: np.ndarray) -> list[dict[str, str]]:
    table = np.empty(len(goods.slugs) + 1, object)
    # NO_PRODUCT, -1, is the last one.
    table[:] = [*({"slug": slug} for slug in goods.slugs), {}]
    return table[product].tolist()
