"""Rollups on their way out: CSV and JSON of the rows of a queryset, in chunks.

Reads the rows some at a time, so that memory does not grow with their number. Writes
nothing. Never leaves a row out: where one cannot be exported the chunks end with an
exception, and whoever sends them must let the receiver see that.
"""

from __future__ import annotations

import csv
import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from typing import Any

import msgspec
from django.db import models
from django.utils import timezone

from ..models import Audience
from ..rollup.buckets import Grain
from ..rollup.dimensions import get_dimensions
from .formulas import safe_cell
from .stored import Row, batches, latencies, visitors

COLUMNS = (
    "site",
    "dimension",
    "key",
    "label",
    "audience",
    "grain",
    "bucket",
    "requests",
    "views",
    "errors",
    "bytes",
    "duration_us",
    "visitors",
    "p50_us",
    "p95_us",
)
REMEMBERED = 10_000
AUDIENCES = {int(audience): audience.name.lower() for audience in Audience}
GRAINS = {int(grain): grain.label for grain in Grain}

Instant = datetime.datetime


def csv_chunks(rows: models.QuerySet) -> Iterator[bytes]:
    """UTF-8, a line with the columns' names first; texts safe from spreadsheets."""
    # Each text is quoted once. The csv module would look at every row's every letter,
    # which takes as long as reading the row.
    found = exported(rows, text=csv_field, moment=Instant.isoformat, nothing="")
    return csv_lines(COLUMNS, found)


def csv_lines(
    columns: Sequence[str], batches: Iterable[Iterable[Row]]
) -> Iterator[bytes]:
    """The lines of rows whose texts are quoted already, by `csv_field`."""
    line = ",".join(["%s"] * len(columns)) + "\r\n"
    head = (line % tuple(map(csv_field, columns))).encode()
    for batch in batches:
        yield head + "".join([line % row for row in batch]).encode()
        head = b""
    if head:
        yield head


def csv_field(text: str) -> str:
    """As the csv module writes a text between others."""
    buffer = StringIO()
    csv.writer(buffer, lineterminator="").writerow((safe_cell(text), ""))
    return buffer.getvalue()[:-1]


def json_chunks(rows: models.QuerySet) -> Iterator[bytes]:
    """An array with an object for each row, closed only when all are in it."""
    return json_objects(COLUMNS, exported(rows, text=str, moment=Instant.isoformat))


def json_objects(
    columns: Sequence[str], batches: Iterable[Iterable[Row]]
) -> Iterator[bytes]:
    encode = msgspec.json.encode
    head = b"[\n"
    for batch in batches:
        objects = [encode(dict(zip(columns, row, strict=True))) for row in batch]
        yield head + b",\n".join(objects)
        head = b",\n"
    yield b"[]\n" if head == b"[\n" else b"\n]\n"


def exported(
    rows: models.QuerySet,
    *,
    text: Callable[[str], Any],
    moment: Callable[[Instant], Any],
    nothing: Any = None,
) -> Iterator[list[Row]]:
    """The values of `COLUMNS` of all rows, in batches and in the queryset's order.

    ``text`` and ``moment`` make of a text and of a local time what the format needs;
    ``nothing`` stands where there is no label, and nothing was counted.
    """
    texts = _Remembered(text)
    moments = _Remembered(lambda stored: moment(_local(stored)))
    labels = _Labels(text, nothing)
    uncounted = (nothing, nothing)

    def values(row: Row) -> Row:
        _, site, dimension, key, audience, grain, bucket, *sums, sketch, times = row
        return (
            texts[site],
            texts[dimension],
            texts[key],
            labels[dimension].get(key, nothing),
            AUDIENCES[audience],
            GRAINS[grain],
            moments[bucket],
            *sums,
            visitors(bytes(sketch)) if sketch else nothing,
            *(latencies(bytes(times)) if times else uncounted),
        )

    for batch in batches(rows):
        labels.ask(batch)
        yield [values(row) for row in batch]


def _local(stored: str) -> Instant:
    """A time as the database writes it, in UTC or with its offset."""
    instant = Instant.fromisoformat(stored)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=datetime.UTC)
    # The site's zone, whichever one the request that asked has activated.
    return instant.astimezone(timezone.get_default_timezone())


class _Remembered(dict):
    """What a function made of values that come again and again."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, value: Any) -> Any:
        if len(self) >= REMEMBERED:
            self.clear()
        made = self[value] = self.make(value)
        return made


class _Labels(dict[str, dict[str, Any]]):
    """Dimension -> key -> its label, asked for once for all new keys of a batch."""

    def __init__(self, text: Callable[[str], Any], nothing: Any) -> None:
        super().__init__()
        self.text, self.nothing = text, nothing
        self.describers = {d.name: d.describe for d in get_dimensions() if d.describe}

    def __missing__(self, dimension: str) -> dict[str, Any]:
        return self.setdefault(dimension, {})

    def ask(self, batch: Iterable[Row]) -> None:
        wanted = defaultdict(dict)
        for row in batch if self.describers else ():
            if row[2] in self.describers:
                wanted[row[2]][row[3]] = None
        for dimension, keys in wanted.items():
            known = self[dimension]
            if len(known) >= REMEMBERED:
                known.clear()
            if new := [key for key in keys if key not in known]:
                # Those without a label too, or they were asked for again.
                known.update(dict.fromkeys(new, self.nothing))
                for key, label in self.describers[dimension](new).items():
                    known[key] = self.text(str(label.text))
