"""A year of a shop's traffic in the rollup table, by the real fold.

Writes rollup rows as a year of drains and prunes would have left them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from analytics.recording.event import RequestEvent

from . import shop
from .traffic import event_lines

DAYS = 365
HOURS_KEPT = 90
DAY = 86_400.0


def days(requests: int) -> Iterator[tuple[list[RequestEvent], bool]]:
    """The events of each day, and whether its hours are still kept."""
    shop.stock()
    start = time.time() - DAYS * DAY
    events = shop.visits(event_lines(5, requests, int(start * 1000), DAYS * DAY))
    size = -(-requests // DAYS)
    for day in range(DAYS):
        yield list(islice(events, size)), day >= DAYS - HOURS_KEPT


def count(events: Sequence[RequestEvent], hourly: bool) -> None:
    """What the drain does with them, without the grains that retention has pruned."""
    from analytics.rollup.buckets import Grain

    fold_into(events, {Grain.HOUR, Grain.DAY} if hourly else {Grain.DAY})


def fold_into(events: Sequence[RequestEvent], grains: set[int]) -> None:
    """The drain's work without its stream: the rows of ``grains``, and the ledger."""
    from django.db import transaction

    from analytics.conf import get_config
    from analytics.models import Producer
    from analytics.rollup import store
    from analytics.rollup.dimensions import get_dimensions
    from analytics.rollup.fold import fold

    config = get_config()
    dimensions = [
        replace(one, days={g: d for g, d in one.days.items() if g in grains})
        for one in get_dimensions()
    ]
    with transaction.atomic():
        rows = fold(events, dimensions, config.zone, store.Admission(config.site))
        store.add_existing(config.site, rows)
        store.save_rows(config.site, rows)
        line, _ = Producer.objects.get_or_create(site=config.site, producer="(bench)")
        line.recorded = line.expected = line.counted = line.counted + len(events)
        line.save()


def rows() -> int:
    from analytics.models import Rollup

    return Rollup.objects.count()
