"""Counts events that did not come through a journal: demo traffic, imported logs.

Writes rollups and one ledger line for their source, in one transaction, under the
same writer row as the drain. Deletes days, of a source that had them for itself.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from django.db import models, transaction
from django.db.models import Sum
from django.utils import timezone

from ..conf import get_config
from ..models import Producer, Rollup, Writer
from ..recording.event import RequestEvent
from . import store
from .buckets import Grain
from .dimensions import Dimension, dimensions_of
from .fold import Measures, RowKey, fold
from .retention import DaysInForce, limit_of

OPTIMISTIC_TRIES = 3


def count_events(events: Sequence[RequestEvent], source: str) -> None:
    """Add ``events``, at most some 50 000, to the tables.

    ``source`` (at most 32 characters) names their line in the ledger. Calling it
    twice counts twice: only who has offsets can be recognised.
    """
    count_noted(events, lambda: _enter(events, source))


def _enter(events: Sequence[RequestEvent], source: str) -> None:
    """Into the ledger, as the only writer."""
    site = get_config().site
    line, _ = Producer.objects.get_or_create(site=site, producer=source)
    line.recorded += len(events)
    line.expected += len(events)
    line.counted += len(events)
    line.seen = timezone.now()
    if covered := covered_by(events):
        line.cover(*covered)
    line.save()


def covered_by(
    events: Sequence[RequestEvent],
) -> tuple[datetime.datetime, datetime.datetime] | None:
    """Of which time a source that is no process tells: from the first of its events to
    the last."""
    if not events:
        return None
    times = [event.time for event in events]
    first, last = (
        datetime.datetime.fromtimestamp(time / 1000, datetime.UTC)
        for time in (min(times), max(times))
    )
    return first, last


def count_noted(
    events: Sequence[RequestEvent], note: Callable[[], None], site: str = ""
) -> float:
    """Add ``events``, and have ``note`` written in the same transaction; the seconds
    that this kept other writers waiting.

    ``note`` says how far a source was read. It is called first, as the only writer, and
    may raise: then nothing is counted. Rows past their time are not written.
    """
    config = get_config()
    site = site or config.site
    for left in reversed(range(OPTIMISTIC_TRIES + 1)):
        generation = Writer.objects.of(site, config.zone.key).generation
        rows = _packed(site, events) if left else []
        with transaction.atomic():
            # As in the drain: the lock comes last, and first once that failed often.
            if left and not Writer.objects.claim(site, generation):
                continue
            if not left:
                Writer.objects.lock(site)
            began = time.monotonic()
            note()
            store.write_packed(rows if left else _packed(site, events))
        break
    return time.monotonic() - began


def _packed(site: str, events: Sequence[RequestEvent]) -> list[store.PackedRow]:
    """The rows of ``events``, merged with those that are there."""
    config, dimensions = get_config(), _lasting(events, site)
    rows = fold(events, dimensions, config.zone, store.Admission(site))
    rows = _kept(rows, dimensions)
    store.add_existing(site, rows)
    return store.pack_rows(site, rows)


def _kept(
    rows: dict[RowKey, Measures], dimensions: Sequence[Dimension]
) -> dict[RowKey, Measures]:
    """Of events from many days, the rows that retention would leave."""
    now = timezone.now()
    limits = {
        (dimension.name, int(grain)): limit_of(days, now).timestamp()
        for dimension in dimensions
        for grain, days in dimension.days.items()
    }
    return {row: rows[row] for row in rows if row[2] >= limits[row[0], row[1]]}


def _lasting(events: Sequence[RequestEvent], site: str = "") -> list[Dimension]:
    """The dimensions without the grains whose rows `retention` would delete at once.
    One query."""
    newest = max((event.time for event in events), default=0)
    age = timezone.now().timestamp() - newest / 1000

    def lasts(days: int | None) -> bool:
        return days is None or age < days * 86_400

    in_force = DaysInForce()
    return [
        replace(one, days={g: d for g, d in in_force.of(one).items() if lasts(d)})
        for one in dimensions_of(site)
    ]


class DaysTaken(Exception):
    """Days that a source wants for itself, and that hold requests of others."""

    def __init__(self, days: Sequence[datetime.datetime], requests: int) -> None:
        super().__init__(f"{requests} requests of others on {len(days)} days")
        self.days, self.requests = days, requests


class Interrupted(Exception):
    """Another process has begun, ended or removed the same."""


@dataclass(frozen=True, slots=True)
class OwnDays:
    """Whole days that one source has for itself, and can therefore take away again.

    Its line in the ledger is open from `begin` to `finish`, and from the start of
    `remove` to its end, when it is gone. Killed between, it stays open.
    """

    source: str
    """At most 32 characters."""
    start: datetime.datetime
    """Where a day begins, as ``end``, which is exclusive."""
    end: datetime.datetime

    @property
    def line(self) -> Producer | None:
        return self._lines().first()

    def begin(self) -> None:
        """Take the days; raises `DaysTaken` unless nothing was counted on them."""
        config = get_config()
        Writer.objects.of(config.site, config.zone.key)
        with transaction.atomic():
            Writer.objects.lock(config.site)
            if self.line:
                raise Interrupted(self.source)
            if days := self._days():
                raise DaysTaken(sorted(days), sum(days.values()))
            Producer.objects.create(
                site=config.site, producer=self.source, seen=timezone.now()
            )

    def count(self, events: Sequence[RequestEvent]) -> None:
        """`count_events`, as long as the line is open; else raises `Interrupted`."""

        def note() -> None:
            if not self._lines().filter(closed=False).exists():
                raise Interrupted(self.source)
            _enter(events, self.source)

        count_noted(events, note)

    def finish(self) -> None:
        """Say that nothing more will come."""
        self._lines().update(closed=True, seen=timezone.now())

    def give_up(self) -> None:
        """Say that nobody is at it any more, though it is not finished."""
        self._lines().filter(closed=False).update(seen=None)

    def remove(self, force: bool = False) -> None:
        """Delete all rows of the days, a day at a time, then the line.

        Raises `DaysTaken`, unless forced, if requests of others were counted there.
        """
        site = get_config().site
        with transaction.atomic():
            Writer.objects.lock(site)
            days, line = self._days(), self._verified_line(force)
            line.closed = False
            line.save()
        found = Rollup.objects.filter(site=site).order_by().values_list("dimension")
        dimensions = {name for (name,) in found.distinct()}
        for day, end in pairwise((*sorted(days), self.end)):
            # All of its dimensions and grains, said as the index wants it.
            rows = Rollup.objects.filter(
                site=site, dimension__in=dimensions, grain__in=tuple(Grain)
            )
            self._remove_day(rows.filter(bucket__gte=day, bucket__lt=end), day, force)
        self._lines().delete()

    def _remove_day(
        self, rows: models.QuerySet[Rollup], day: datetime.datetime, force: bool
    ) -> None:
        """A day goes in one transaction, some thousand rows, so it is never half."""
        with transaction.atomic():
            Writer.objects.lock(get_config().site)
            line = self._verified_line(force)
            left = max(line.counted - self._days().get(day, 0), 0)
            line.recorded = line.expected = line.counted = left
            line.save()
            rows.delete()

    def _verified_line(self, force: bool) -> Producer:
        """The line, if it tells of all that was counted on its days."""
        days, line = self._days(), self.line
        if line is None:
            raise Interrupted(self.source)
        if not force and sum(days.values()) != line.counted:
            raise DaysTaken(sorted(days), sum(days.values()) - line.counted)
        return line

    def _days(self) -> dict[datetime.datetime, int]:
        """Requests on those of the days on which any were counted."""
        rows = Rollup.objects.of(get_config().site, "total", Grain.DAY)
        rows = rows.filter(bucket__gte=self.start, bucket__lt=self.end).order_by()
        return dict(rows.values_list("bucket").annotate(n=Sum("requests")))

    def _lines(self) -> models.QuerySet[Producer]:
        return Producer.objects.filter(site=get_config().site, producer=self.source)


def find_lines(prefix: str) -> list[Producer]:
    """The site's ledger lines of the sources that begin so."""
    site = get_config().site
    return list(Producer.objects.filter(site=site, producer__startswith=prefix))
