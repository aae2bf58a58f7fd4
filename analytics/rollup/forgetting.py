"""Forgetting: what is counted by a user's id becomes a part of ``(other)``.

Reads rollups and dead letters. Writes both under the site's writer row, some rows in
each transaction; no sum of the dimension changes. Killed anywhere, or run again, it
goes on where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from ..conf import get_config
from ..models import DeadLetter, Rollup, Writer
from ..recording.event import decode
from . import store
from .buckets import Grain
from .dimensions import OTHER
from .fold import Measures, RowKey

DIMENSION = "user"
BATCH_ROWS = 500


@dataclass(slots=True)
class Erased:
    """What was taken out of the tables."""

    rows: int = 0
    requests: int = 0
    """Those of the rows of days, so each request once."""
    letters: int = 0
    """Dead letters that were emptied."""


def forget(users: Collection[str]) -> Erased:
    """Erase these ids from the site's tables, in all grains."""
    config = get_config()
    Writer.objects.of(config.site, config.zone.key)
    rows = Rollup.objects.filter(
        site=config.site, dimension=DIMENSION, grain__in=tuple(Grain), key__in=users
    ).exclude(key=OTHER)
    erased = Erased()
    while found := _move(config.site, rows):
        erased.rows += len(found)
        days = (row for row in found if row.grain == Grain.DAY)
        erased.requests += sum(row.requests for row in days)
    erased.letters = _empty_letters(config.site, users)
    return erased


def mentions(line: bytes, users: Collection[str]) -> bool:
    """Whether an event's line is of one of the users, or may be if it is broken."""
    try:
        return decode(line).user in users
    except ValueError:
        return any(msgspec.json.encode(user) in line for user in users)


def _move(site: str, rows: QuerySet[Rollup]) -> Sequence[Rollup]:
    """Add some of ``rows`` to ``(other)`` and delete them; which ones they were."""
    with transaction.atomic():
        Writer.objects.lock(site)
        found = list(rows.order_by("pk")[:BATCH_ROWS])
        others: dict[RowKey, Measures] = {}
        for row in found:
            bucket = int(row.bucket.timestamp())
            place = (DIMENSION, row.grain, bucket, OTHER, row.audience)
            _add(others.setdefault(place, Measures()), row)
        store.add_existing(site, others)
        store.save_rows(site, others)
        Rollup.objects.filter(pk__in=[row.pk for row in found]).delete()
    return found


def _add(sums: Measures, row: Rollup) -> None:
    for name in store.SUMS:
        setattr(sums, name, getattr(sums, name) + getattr(row, name))
    sums.latency.merge(row.latency)
    sums.visitors.merge(row.visitors)


def _empty_letters(site: str, users: Collection[str]) -> int:
    """Empty the dead letters of their events, and those that nobody can read: a packed
    batch cut short. That they were there, and why, is what else is to be known."""
    letters = DeadLetter.objects.filter(site=site).exclude(content=b"").order_by("pk")
    emptied = last = 0
    while True:
        with transaction.atomic():
            Writer.objects.lock(site)
            rest = letters.filter(pk__gt=last).only("kind", "content")
            some = list(rest[:BATCH_ROWS])
            told = [letter.pk for letter in some if _tells_of(letter, users)]
            emptied += DeadLetter.objects.filter(pk__in=told).update(content=b"")
        if len(some) < BATCH_ROWS:
            return emptied
        last = some[-1].pk


def _tells_of(letter: DeadLetter, users: Collection[str]) -> bool:
    if letter.kind != DeadLetter.Kind.EVENT:
        return True
    return mentions(bytes(letter.content), users)
