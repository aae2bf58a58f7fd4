"""``manage.py demo``: a month of made-up visits, so that there is something to see."""

from __future__ import annotations

import datetime
import math
import random
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from analytics.models import Producer
from analytics.recording.event import RequestEvent
from analytics.rollup.direct import count_events
from products.models import Product

SOURCE = "(demo)"
SEED = 7
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PAGES = (
    ("/", "products:home", 4),
    ("/products/", "products:list", 3),
    ("/products/<slug:slug>/", "products:detail", 6),
    ("/about/", "products:about", 1),
    ("", "", 0.4),
)


class Command(BaseCommand):
    """Counts invented events straight into the tables; once."""

    help = "Fills the tables with invented visits of the last days, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=30)
        parser.add_argument("--visits", type=int, default=1_500, help="A day.")

    def handle(self, *, days: int, visits: int, **options: Any) -> None:
        if Producer.objects.filter(producer=SOURCE).exists():
            self.stdout.write("The demo's visits are there already.")
            return
        slugs = list(Product.objects.available().values_list("slug", flat=True))
        dice = random.Random(SEED)  # noqa: S311
        today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        total = 0
        for age in range(days, 0, -1):
            day = today - datetime.timedelta(days=age)
            events = list(_events(dice, day, visits, slugs))
            count_events(events, SOURCE)
            total += len(events)
        self.stdout.write(f"{total} requests of {days} days counted.")


def _events(
    dice: random.Random, day: datetime.datetime, visits: int, slugs: list[str]
) -> Iterator[RequestEvent]:
    """One day: fewer visits at the weekend and at night, a few errors."""
    weekend = day.weekday() >= 5
    for _ in range(int(visits * (0.6 if weekend else 1) * dice.uniform(0.85, 1.15))):
        second = _second_of_day(dice)
        visitor = dice.randrange(visits * 20)
        bot = dice.random() < 0.12
        for page in range(1 + int(dice.expovariate(0.6))):
            at = day + datetime.timedelta(seconds=min(second + 40 * page, 86_399))
            yield _event(dice, at, visitor, bot, slugs)


def _second_of_day(dice: random.Random) -> int:
    """More likely in the afternoon than at night."""
    while True:
        second = dice.randrange(86_400)
        if dice.random() < 0.55 - 0.45 * math.cos(second / 86_400 * 2 * math.pi - 0.6):
            return second


def _event(
    dice: random.Random,
    at: datetime.datetime,
    visitor: int,
    bot: bool,
    slugs: list[str],
) -> RequestEvent:
    weights = [weight for *_, weight in PAGES]
    route, view, _ = dice.choices(PAGES, weights)[0]
    failed = bool(view) and dice.random() < 0.004
    kwargs = {}
    if view == "products:detail" and slugs:
        rank = min(int(dice.expovariate(6 / len(slugs))), len(slugs) - 1)
        kwargs = {"slug": slugs[rank]}
    return RequestEvent(
        time=int(at.timestamp() * 1000),
        method="GET",
        route=route,
        view=view,
        status=500 if failed else 200 if view else 404,
        duration=int(dice.lognormvariate(9.4, 0.6)),
        bytes=dice.randrange(3_000, 30_000),
        exception="TimeoutError" if failed else "",
        user="",
        staff=False,
        visitor=visitor,
        referrer="",
        language="en",
        agent=BOT if bot else BROWSER,
        page=bool(view) and not failed,
        kwargs=kwargs,
    )
