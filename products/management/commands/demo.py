"""``manage.py demo``: a filled shop and months of made-up visits, or neither again."""

from __future__ import annotations

import datetime
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from products.demo import filling
from products.models import Product

SEED = 7
DAYS, DAYS_LIMIT = 90, 3_000
VISITS, VISITS_LIMIT = 1_400, 10_000


def natural(limit: int) -> Any:
    """The type of an argument from 1 to ``limit``."""

    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 0 < int(text) <= limit:
            raise ArgumentTypeError(f"a number from 1 to {limit:,}, not {text!r}")
        return int(text)

    return number


def date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"a date as YYYY-MM-DD, not {text!r}") from None


class Command(BaseCommand):
    help = (
        "Fills the catalogue with some 200 products and the tables with made-up visits "
        "of the last days, today excepted, once; or takes both away again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=natural(DAYS_LIMIT), default=DAYS)
        parser.add_argument(
            "--visits",
            type=natural(VISITS_LIMIT),
            default=VISITS,
            help=f"Visits on an average day, some three pages each; {VISITS}.",
        )
        parser.add_argument(
            "--seed", type=int, default=SEED, help="Another one, other visits."
        )
        parser.add_argument("--until", type=date, help="The last day; yesterday.")
        parser.add_argument("--remove", action="store_true", help="Take it away.")
        parser.add_argument(
            "--force",
            action="store_true",
            help="Remove its days with what else was counted on them since.",
        )

    def handle(
        self, *, remove: bool, force: bool, verbosity: int, **options: Any
    ) -> None:
        self.verbosity = verbosity
        try:
            Product.objects.exists()
            demo = filling.find()
        except DatabaseError:
            raise CommandError(
                "The database is not set up yet: start the site once with `make run`."
            ) from None
        try:
            if demo and demo.busy:
                raise CommandError("Another run is at it; wait until it has ended.")
            if remove:
                self.remove(demo, force)
            else:
                self.fill(demo, **options)
        except filling.Refusal as refusal:
            raise CommandError(refusal) from None

    def fill(
        self,
        demo: filling.Demo | None,
        *,
        seed: int,
        visits: int,
        days: int,
        until: datetime.date | None,
        **options: Any,
    ) -> None:
        if demo and demo.complete:
            self.say(
                f"The demo is there already: {demo.requests:,} requests from "
                f"{demo.first} to {demo.last}. `make undemo` takes it away."
            )
            return
        plan = filling.plan_for(seed, visits, days, until)
        if demo:
            self.say("A demo was begun and not finished; it is removed first.")
            filling.remove(demo)
        began = time.monotonic()
        products, requests = filling.fill(plan, self.progress)
        first, last = plan.days[0].date, plan.days[-1].date
        self.say(
            f"{products} products and {requests:,} requests of {len(plan.days)} days, "
            f"{first} to {last}, in {time.monotonic() - began:.0f} s. Look at the shop "
            "and at the admin of `make run`; `make undemo` takes all of it away."
        )

    def remove(self, demo: filling.Demo | None, force: bool) -> None:
        if demo is None:
            self.say("There is no demo to remove.")
            return
        gone, kept = filling.remove(demo, force)
        self.say(
            f"The demo of {demo.first} to {demo.last} is removed: {demo.requests:,} "
            f"requests and {gone} products."
        )
        if kept:
            self.say(f"{kept} of its products were edited, and stay.")

    def progress(self, done: int, total: int) -> None:
        """Where somebody watches."""
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{done} of {total} days", end=end, file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        if self.verbosity:
            self.stdout.write(text)
