"""How much a day of traffic takes in the database, at three rates, on SQLite.

Ours depends on the keys that occur, the peer's on the requests: it has a row for each.
Of a slow site the whole day is counted. Of a faster one some hours are, then the rows
of minutes and hours are multiplied, and those of the day taken as the sample left them.
A visitor makes ten requests a day. Verifies that what was made was counted.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from . import report
from .report import Line, progress, spaced
from .workspace import workspace

HOURS_MEASURED = {1: 24.0, 100: 3.0, 1_000: 1.0}
"""Requests a second -> hours of a day of them that are counted."""
QUICK = 24
"""The smoke test counts so many times less."""
REQUESTS_OF_VISITOR = 10
POOL = 200_000
BATCH = 50_000
PEER_ROWS = 50_000
HOUR, DAY_HOURS = 3_600, 24


def measure(quick: bool) -> Iterator[Line]:
    divisor = QUICK if quick else 1
    with workspace():
        from . import shop
        from .traffic import event_lines

        shop.stock()
        count = POOL // divisor
        pool = list(shop.visits(event_lines(3, count, int(time.time() * 1000), 1.0)))
        peer = _peer_bytes(pool[:PEER_ROWS])
        for rate, hours in HOURS_MEASURED.items():
            progress(f"storage: {hours / divisor:g} h of {rate} requests/s")
            yield _line(rate, hours / divisor, pool, peer)


def _line(rate: int, hours: float, pool: list[Any], peer: float) -> Line:
    from analytics.models import Rollup

    from . import serving

    Rollup.objects.all().delete()
    made = _count(rate, hours, pool)
    counted = serving.total()
    day, hour, minute = _by_grain(hours)
    requests = rate * HOUR * DAY_HOURS
    left = {
        "at its end": (day, hour, minute),
        "after 2 days, without minutes": (day, hour),
        "after 90, without hours": (day,),
    }
    ours = (
        f"{name} {_size(*map(sum, zip(*parts, strict=True)))}"
        for name, parts in left.items()
    )
    how = "" if hours == DAY_HOURS else f" in {hours:g} h, the rest extrapolated"
    return Line(
        what=f"rows and size of a day at {spaced(rate)} requests/s",
        peers=f"django-request {_size(requests, requests * peer)}",
        ours=" · ".join(ours),
        target="printed",
        verified=report.counts(made, counted) + how,
    )


def _count(rate: int, hours: float, pool: list[Any]) -> int:
    """Requests of one day, from its ninth hour on if it is not the whole."""
    from analytics.conf import get_config
    from analytics.rollup.buckets import Grain, bucket_epoch

    from . import year

    zone = get_config().zone
    start = bucket_epoch(int(time.time()) - DAY_HOURS * HOUR, Grain.DAY, zone)
    start += 0 if hours == DAY_HOURS else 9 * HOUR
    dice = random.Random(rate)
    visitors = rate * HOUR * DAY_HOURS // REQUESTS_OF_VISITOR
    total = int(rate * hours * HOUR)
    for first in range(0, total, BATCH):
        chosen = dice.choices(pool, k=min(BATCH, total - first))
        events = [
            replace(
                event,
                time=(start * 1000) + (first + number) * 1000 // rate,
                visitor=1 + dice.randrange(visitors),
            )
            for number, event in enumerate(chosen)
        ]
        year.fold_into(events, set(Grain))
    return total


def _by_grain(hours: float) -> Iterator[tuple[float, float]]:
    """Rows and bytes of the day, of its hours and of its minutes, as if all of its
    hours had been counted. Empties the table on the way."""
    from analytics.models import Rollup
    from analytics.rollup.buckets import Grain

    factors = {
        Grain.MINUTE: DAY_HOURS / hours,
        Grain.HOUR: DAY_HOURS / math.ceil(hours),
        Grain.DAY: 1.0,
    }
    found = []
    for grain, times in factors.items():
        before = _bytes()
        rows, _ = Rollup.objects.filter(grain=grain).delete()
        found.append((rows * times, (before - _bytes()) * times))
    return reversed(found)


def _bytes() -> int:
    """What the database takes, without the space of deleted rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
        return int(cursor.fetchone()[0])


def _peer_bytes(events: Sequence[Any]) -> float:
    """Bytes of one row of django-request."""
    from . import peer_rows

    before = _bytes()
    rows = peer_rows.save(events)
    return (_bytes() - before) / rows


def _size(rows: float, size: float) -> str:
    return f"{spaced(rows)} rows, {spaced(size / 1e6)} MB"


if __name__ == "__main__":
    report.main(measure)
