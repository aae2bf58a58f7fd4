"""Reads and writes rollup rows and ledger lines in bulk.

To be used by whoever holds, or is about to claim, the site's writer row.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ..models import Producer, Rollup
from .buckets import Grain
from .dimensions import OTHER, Dimension
from .fold import Measures, RowKey

KEYS_IN_QUERY = 500
BATCH_ROWS = 500
SUMS = ("requests", "views", "errors", "bytes", "duration")
MEASURES = (*SUMS, "latency", "visitors")
UNIQUE = ("site", "dimension", "grain", "bucket", "key", "audience")
LINE_FIELDS = (
    "host",
    "pid",
    "started",
    "seen",
    "oldest",
    "closed",
    "recorded",
    "expected",
    "counted",
    "lost",
    "rejected",
)


class Admission:
    """Which keys a day admits: its first ``cap`` ones, as the day's rows tell."""

    def __init__(self, site: str) -> None:
        self._site = site

    def __call__(self, dimension: Dimension, day: int, keys: list[str]) -> set[str]:
        """Of ``keys``, in order of appearance, those that are themselves on ``day``.

        ``day`` is the start of the day's bucket in seconds since 1970.
        """
        rows = Rollup.objects.of(self._site, dimension.name, Grain.DAY)
        today = rows.filter(bucket=instant(day)).exclude(key=OTHER)
        present = today.values("key").distinct()
        room = dimension.cap - present.count()
        if room >= len(keys):
            return set(keys)
        known = set(present.values_list("key", flat=True))
        new = [key for key in keys if key not in known]
        return {key for key in keys if key in known} | set(new[: max(room, 0)])


def instant(epoch: int) -> datetime.datetime:
    """Seconds since 1970 as an aware UTC datetime."""
    return datetime.datetime.fromtimestamp(epoch, datetime.UTC)


def add_existing(site: str, rows: dict[RowKey, Measures]) -> None:
    """Merge into ``rows`` what the table already has for them."""
    wanted: dict[tuple[str, int], list[RowKey]] = defaultdict(list)
    for row in rows:
        wanted[row[0], row[1]].append(row)
    for (dimension, grain), keys in wanted.items():
        for found in _existing(site, dimension, grain, keys):
            bucket, key, audience, *measures = found
            row = (dimension, grain, int(bucket.timestamp()), key, audience)
            if row in rows:
                rows[row].merge(Measures(*measures))


def _existing(
    site: str, dimension: str, grain: int, keys: list[RowKey]
) -> Iterable[tuple[Any, ...]]:
    query = Rollup.objects.of(site, dimension, grain)
    query = query.filter(bucket__in={instant(row[2]) for row in keys})
    names = {row[3] for row in keys}
    if len(names) <= KEYS_IN_QUERY:
        query = query.filter(key__in=names)
    return query.values_list("bucket", "key", "audience", *MEASURES).iterator()


def save_rows(site: str, rows: dict[RowKey, Measures]) -> None:
    """Write whole rows, in the order of their keys, over what was there."""
    Rollup.objects.bulk_create(
        [_row(site, key, rows[key]) for key in sorted(rows)],
        batch_size=BATCH_ROWS,
        update_conflicts=True,
        unique_fields=UNIQUE,
        update_fields=MEASURES,
    )


def _row(site: str, key: RowKey, measures: Measures) -> Rollup:
    dimension, grain, bucket, name, audience = key
    return Rollup(
        site=site,
        dimension=dimension,
        grain=grain,
        bucket=instant(bucket),
        key=name,
        audience=audience,
        **{field: getattr(measures, field) for field in MEASURES},
    )


def save_lines(lines: Iterable[Producer]) -> None:
    """Write the ledger's lines as they are."""
    Producer.objects.bulk_create(
        sorted(lines, key=lambda line: line.producer),
        update_conflicts=True,
        unique_fields=("site", "producer"),
        update_fields=LINE_FIELDS,
    )
