"""Fills and empties: the demo's way into the tables, and out of them.

Writes products, rollups and one line of the ledger, whose name tells the days and which
is open until the last of them is counted. So whatever is killed, the next run knows.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from analytics.rollup.direct import DaysTaken, Interrupted, OwnDays, find_lines

from . import shelf
from .goods import goods
from .plan import ONE_DAY, Plan, whole_days
from .traffic import events_of

SOURCE = "(demo) "
BUSY = datetime.timedelta(seconds=15)
"""A run that fills is heard of with each day, many times in this time."""

Progress = Callable[[int, int], None]
"""(days done, of how many)"""


class Refusal(Exception):
    """A reason not to do it, in a sentence for who asked."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that is in the tables, whole or not."""

    first: datetime.date
    last: datetime.date
    requests: int
    complete: bool
    seen: datetime.datetime | None
    """When it was last heard of; None for one that was given up."""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def busy(self) -> bool:
        """Whether some other run fills it, or removes it, just now."""
        if self.complete or self.seen is None:
            return False
        return timezone.now() - self.seen < BUSY


def find() -> Demo | None:
    """The demo that is there. One at a time."""
    for line in find_lines(SOURCE):
        first, last = line.producer.removeprefix(SOURCE).split("/")
        first, last = map(datetime.date.fromisoformat, (first, last))
        return Demo(first, last, line.counted, line.closed, line.seen)
    return None


def fill(plan: Plan, progress: Progress) -> tuple[int, int]:
    """Products, then day after day of traffic; how many of both.

    Raises `Refusal` if something was counted on these days.
    """
    own = _own(plan.days[0].date, plan.days[-1].date)
    try:
        own.begin()
    except DaysTaken as taken:
        raise Refusal(_occupied(taken)) from None
    except Interrupted:
        raise Refusal("Another run has just begun to fill in a demo.") from None
    try:
        products = shelf.put(plan)
        requests = _count_days(own, plan, progress)
    except Interrupted:
        raise Refusal("Another run has removed this demo meanwhile.") from None
    except BaseException:
        # So that the next run need not wait to see whether this one still lives.
        own.give_up()
        raise
    own.finish()
    return products, requests


def _count_days(own: OwnDays, plan: Plan, progress: Progress) -> int:
    shown, requests = goods(plan), 0
    for day in plan.days:
        events = events_of(plan, day, shown)
        own.count(events)
        requests += len(events)
        progress(day.number + 1, len(plan.days))
    return requests


def remove(demo: Demo, force: bool = False) -> tuple[int, int]:
    """Take the demo away; how many products went, and how many stayed.

    Raises `Refusal` if other requests were counted on its days since, unless forced.
    """
    try:
        _own(demo.first, demo.last).remove(force)
    except DaysTaken as taken:
        raise Refusal(
            f"From {demo.first} to {demo.last} the tables hold {taken.requests:+,} "
            "requests more than the demo put there: real ones that were counted late, "
            "most likely. They cannot be told apart any more. To remove these days "
            "with all that is on them: make undemo DEMO=--force."
        ) from None
    except Interrupted:
        raise Refusal("Another run is removing this demo.") from None
    return shelf.remove()


def _own(first: datetime.date, last: datetime.date) -> OwnDays:
    days = whole_days(last, (last - first).days + 1, _zone())
    return OwnDays(f"{SOURCE}{first}/{last}", days[0].start, days[-1].end)


def plan_for(seed: int, visits: int, days: int, until: datetime.date | None) -> Plan:
    """``days`` whole days up to ``until``, which is yesterday unless it is told."""
    yesterday = timezone.now().astimezone(_zone()).date() - ONE_DAY
    if until is not None and until > yesterday:
        raise Refusal(f"The last day has to be over: {yesterday} or earlier.")
    return Plan(seed, visits, whole_days(until or yesterday, days, _zone()))


def _zone() -> datetime.tzinfo:
    return timezone.get_default_timezone()


def _occupied(taken: DaysTaken) -> str:
    first = taken.days[0].astimezone(_zone()).date()
    return (
        f"{taken.requests:,} requests are counted already on {len(taken.days)} of "
        f"these days, from {first} on, and made-up ones must not mix with them. Let "
        f"the demo end before: make demo DEMO='--until {first - ONE_DAY}', or use an "
        "empty database."
    )
