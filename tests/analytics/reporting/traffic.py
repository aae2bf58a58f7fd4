"""Made-up requests of some days, and what a naive look at them gives."""

import datetime
import random
from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings

from analytics.rollup.bots import is_bot
from analytics.rollup.direct import count_events
from tests.analytics.recording.events import event
from tests.lasting import lasting

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
ROUTES = ("/", "/list/", "/item/<slug>/", "")


def at(moment: datetime.datetime, **changes):
    """A request at a moment."""
    return event(time=int(moment.timestamp() * 1000), **changes)


def some(seed: int, count: int, start: datetime.datetime, end: datetime.datetime):
    """Random requests between two moments."""
    dice = random.Random(seed)
    length = (end - start).total_seconds()
    made = []
    for _ in range(count):
        route = dice.choice(ROUTES)
        status = 404 if not route else dice.choice((200, 200, 200, 500))
        made.append(
            at(
                start + datetime.timedelta(seconds=dice.random() * length),
                route=route,
                status=status,
                page=status == 200,
                duration=int(dice.lognormvariate(9, 1)),
                bytes=dice.randrange(9_000),
                visitor=dice.randrange(1, 300),
                agent=BROWSER if dice.random() < 0.7 else BOT,
                staff=dice.random() < 0.1,
                referrer=dice.choice(("", "a.example.org", "b.example.org")),
            )
        )
    return made


def counted(events):
    """The events, counted into the tables."""
    count_events(events, "(test)")
    return events


@contextmanager
def counted_once(blocker, make, zone: str) -> Iterator[list]:
    """What ``make`` counts, for all tests of a module."""
    with lasting(blocker):
        with override_settings(ANALYTICS_SITE="test", TIME_ZONE=zone):
            events = make()
        yield events


def audience_of(one) -> int:
    return 2 if one.staff else 1 if is_bot(one.agent) else 0


def within(events, start: datetime.datetime, end: datetime.datetime, audiences=(0,)):
    """Those of an audience in [start, end)."""
    low, high = (int(moment.timestamp() * 1000) for moment in (start, end))
    return [
        one
        for one in events
        if low <= one.time < high and audience_of(one) in audiences
    ]


def naive(events) -> dict[str, int]:
    """The measures of a list of requests, by counting them."""
    return {
        "requests": len(events),
        "views": sum(one.page for one in events),
        "errors": sum(one.status >= 500 or bool(one.exception) for one in events),
        "bytes": sum(one.bytes for one in events),
        "visitors": len({one.visitor for one in events}),
    }
