"""Requests that have nothing in common leave a bounded number of rows, keys and bytes.

The large run is ``python -m bench cardinality``; here caps are small instead.
"""

import random
import string
import time
from dataclasses import replace

import pytest
from django.db.models import Count, Sum

from analytics.models import Audience, Rollup
from analytics.recording.event import encode
from analytics.recording.reader import Batch
from analytics.reporting import periods, queries
from analytics.rollup import drain as drain_module
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import OTHER, get_dimensions
from analytics.rollup.drain import Drain
from tests.analytics.recording.events import event

pytestmark = pytest.mark.django_db

REQUESTS = 30_000
PARTS = 6
PER_BATCH = 250
CAP = 20
RANDOM = ("error_referrer", "host", "path", "referrer", "campaign", "bot", "user")
"""Dimensions whose keys whoever asks may make up without end."""
AGENTS = 1_000


@pytest.fixture
def small(monkeypatch):
    """All dimensions, with little room for keys."""
    dimensions = tuple(replace(one, cap=CAP) for one in get_dimensions())
    monkeypatch.setattr(drain_module, "dimensions_of", lambda site: dimensions)
    return dimensions


def word(dice: random.Random, length: int) -> str:
    return "".join(dice.choices(string.ascii_letters, k=length))


def lines(dice: random.Random, count: int) -> list[bytes]:
    """Journal lines of requests of the last minutes, all of them made up."""
    agents = [f"{word(dice, 9)}/1 (+https://www.example.org)" for _ in range(AGENTS)]
    now = int(time.time() * 1000)
    found = []
    for _ in range(count):
        status = dice.choice((404, 404, 200, 500))
        found.append(
            encode(
                event(
                    time=now - dice.randrange(300_000),
                    method=word(dice, 6),
                    route="" if status == 404 else "/ok/",
                    status=status,
                    visitor=dice.getrandbits(53),
                    referrer=f"{word(dice, 9)}.example.org",
                    host=f"{word(dice, 9)}.example.com",
                    campaign=f"{word(dice, 5)} / - / -",
                    language=word(dice, 2).lower(),
                    country=word(dice, 2).upper(),
                    path=f"/{word(dice, 12)}",
                    agent=dice.choice(agents),
                    user=word(dice, 6),
                )
            )
        )
    return found


def ship(stream, offset: int, found: list[bytes]) -> int:
    for start in range(0, len(found), PER_BATCH):
        batch = tuple(found[start : start + PER_BATCH])
        packed = stream.pack(Batch("producer", offset, offset, batch))
        stream.client.xadd(stream.events, packed)
        offset += len(batch)
    return offset


def test_random_requests_leave_bounded_rows_and_keys(site_stream, small):
    dice, offset, keys, memory = random.Random(11), 0, [], []
    worker = Drain(site_stream)
    for _ in range(PARTS):
        offset = ship(site_stream, offset, lines(dice, REQUESTS // PARTS))
        worker.run()
        keys.append(set(site_stream.client.scan_iter("*")))
        memory.append(site_stream.client.info("memory")["used_memory_dataset"])
    assert offset == REQUESTS
    assert keys == [keys[0]] * PARTS
    # An empty stream, whatever went through it.
    assert max(memory) - memory[0] < 500_000
    assert_bounded(small)
    assert_all_is_counted()


def assert_bounded(dimensions) -> None:
    """In each bucket a dimension has no more keys than its cap, and ``(other)``."""
    rows = Rollup.objects.values("dimension", "grain", "bucket")
    counted = rows.annotate(n=Count("key", distinct=True))
    assert max(row["n"] for row in counted) == CAP + 1
    days = Rollup.objects.filter(grain=Grain.DAY).values("bucket").distinct().count()
    grains = sum(len(dimension.grains) for dimension in dimensions)
    # By day a grain may have other keys in its hours and minutes, but never new ones.
    names = Rollup.objects.values("dimension", "grain", "key").distinct()
    assert names.count() <= days * grains * (CAP + 1)
    full = rows.filter(dimension__in=RANDOM, grain=Grain.DAY).annotate(n=Count("key"))
    assert {row["dimension"] for row in full if row["n"] > CAP} == set(RANDOM)


def assert_all_is_counted() -> None:
    everyone = tuple(Audience)
    period = periods.last_days(2)
    assert queries.totals(period=period, audiences=everyone).requests == REQUESTS
    for name in ("host", "path", "referrer", "campaign", "user", "bot"):
        found = queries.top(
            dimension=name,
            period=period,
            audiences=everyone,
            measure="requests",
            limit=3 * CAP,
        )
        assert found.total == REQUESTS
        other = Rollup.objects.filter(dimension=name, grain=Grain.DAY, key=OTHER)
        assert found.others == other.aggregate(n=Sum("requests"))["n"]
