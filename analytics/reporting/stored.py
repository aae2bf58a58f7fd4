"""Stored rollups as they are, and the numbers in their sketches: for a million rows.

Reads the table some rows at a time, and the bytes that `analytics.rollup.sketches`
writes: gives what its types give, but makes them only where that is no slower. Writes
a temporary file of keys, which nobody else can open and which goes with the reading.
Never changes a row, and lets nobody wait who does.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from tempfile import TemporaryFile
from typing import Any

from django.db import connections, models
from django.db.models import BinaryField, TextField
from django.db.models.functions import Cast

from ..batches import batched
from ..rollup.sketches import LAST, Histogram, Visitors

BATCH_ROWS = 900
"""As many as the oldest SQLite takes parameters for."""
SMALL = 32
"""Bytes of a histogram that comes again in other rows, and is worth remembering."""
_COUPONS, _FIRST_COUPON = 1, 1 << 26
_CODES = ("BH", "BHIQ")

Row = tuple[Any, ...]


def batches(rows: models.QuerySet) -> Iterator[Sequence[Row]]:
    """The stored rows: the primary key first, times as texts, sketches as binaries."""
    connection = connections[rows.db]
    cursors = not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    if connection.vendor == "postgresql" and cursors:
        return batched(_stored(rows).iterator(BATCH_ROWS), BATCH_ROWS)
    return _by_key(rows)


def _by_key(rows: models.QuerySet) -> Iterator[Sequence[Row]]:
    """The keys first, into a file, then the rows of some keys at a time.

    SQLite's log of changes grows as long as a query reads, and a download may take
    hours. Pages that begin behind the last key would be no way: with an index of the
    filter, SQLite sorts all rows for each of them.
    """
    table = _stored(rows.model._base_manager.using(rows.db))
    keys = rows.values_list("pk", flat=True).iterator(BATCH_ROWS)
    with TemporaryFile() as file:
        for some in batched(keys, BATCH_ROWS):
            array("q", some).tofile(file)
        file.seek(0)
        while data := file.read(8 * BATCH_ROWS):
            wanted = array("q", data).tolist()
            found = {row[0]: row for row in table.filter(_among(wanted))}
            # What retention has deleted in the meantime is gone.
            yield [found[key] for key in wanted if key in found]


def _among(keys: list[int]) -> models.Q:
    """The rows of these keys; where they are close together also some between."""
    first, last = min(keys), max(keys)
    if last - first < 2 * len(keys):
        return models.Q(pk__range=(first, last))
    return models.Q(pk__in=keys)


def _stored(rows: models.QuerySet) -> models.QuerySet:
    """Values as the database has them: fields would take three times as long."""
    return rows.values_list(
        *("pk", "site", "dimension", "key", "audience", "grain"),
        Cast("bucket", TextField()),
        *("requests", "views", "errors", "bytes", "duration"),
        Cast("visitors", BinaryField()),
        Cast("latency", BinaryField()),
    )


def visitors(data: bytes) -> int | None:
    """The estimate of a stored `Visitors`; None where none were counted."""
    if not data:
        return None
    size, rest = divmod(len(data) - 1, 4)
    if data[0] == _COUPONS and size and not rest:
        return _estimate(size)
    return Visitors.from_bytes(data).estimate()


@lru_cache(maxsize=1024)
def _estimate(size: int) -> int:
    """While there are few visitors, the estimate depends on how many there are."""
    coupons = struct.pack(f"<{size}I", *range(_FIRST_COUPON, _FIRST_COUPON + size))
    return Visitors.from_bytes(bytes((_COUPONS,)) + coupons).estimate()


def latencies(data: bytes) -> tuple[float | None, float | None]:
    """The percentiles 50 and 95 of a stored `Histogram`, in microseconds.

    With one digit behind the point, and none where that is 0.
    """
    return _remembered(data) if len(data) <= SMALL else _percentiles(data)


def _percentiles(data: bytes) -> tuple[float | None, float | None]:
    if not data:
        return None, None
    size, layout = _layout(data[0], len(data))
    numbers = layout.unpack_from(data, 1)
    reached = [*accumulate(numbers[size:])]
    # By nearest rank, as the histogram itself does; steps lead to its indices.
    first = bisect_left(reached, -(-50 * reached[-1] // 100))
    second = bisect_left(reached, -(-95 * reached[-1] // 100), first)
    index = sum(numbers[: first + 1]) - 1
    return _MIDDLES[index], _MIDDLES[index + sum(numbers[first + 1 : second + 1])]


_remembered = lru_cache(maxsize=16_384)(_percentiles)


@lru_cache(maxsize=1024)
def _layout(head: int, length: int) -> tuple[int, struct.Struct]:
    """How many buckets a histogram of these has, and how its numbers are written."""
    steps, counts = head >> 2 & 3, head & 3
    size, rest = divmod(length - 1, (1 << steps) + (1 << counts))
    if head >> 4 != 1 or steps > 1 or rest or not size:
        raise ValueError(f"A histogram cannot have {length} bytes after {head}.")
    return size, struct.Struct(f"<{size}{_CODES[0][steps]}{size}{_CODES[1][counts]}")


def _middles() -> list[float]:
    """What a percentile in each bucket is."""
    middles = []
    for index in range(LAST + 1):
        histogram = Histogram()
        histogram.counts = {index: 1}
        middle = round(histogram.percentile(50), 1)
        middles.append(int(middle) if middle == int(middle) else middle)
    return middles


_MIDDLES = _middles()
