"""The ledger for people: its lines made fresh, their states and their sums.

Reads the ledger in SQL and the journals on this machine's disk; what the producers say
in Redis is handed in. Writes nothing, and never locks a journal.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ..managers import MISSING_HOURS
from ..models import Producer
from ..recording.folder import (
    end_of,
    list_segments,
    origin_of,
    producer_directories,
    segment_path,
)
from ..recording.journal import Snapshot
from ..recording.reader import Reader
from ..stream import moment

LIVE = datetime.timedelta(minutes=5)
"""A producer speaks every ten seconds, and is written down every minute."""
MISSING = datetime.timedelta(hours=MISSING_HOURS)


class State(models.TextChoices):
    """How a producer is."""

    LIVE = "live", _("live")
    SILENT = "silent", _("silent")
    CLOSED = "closed", _("closed")
    MISSING = "missing", _("missing")


class Word(Protocol):
    """What a producer said last: a ``ProducerInfo``, times in seconds since 1970."""

    @property
    def recorded(self) -> int: ...
    @property
    def host(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def seen(self) -> float: ...
    @property
    def oldest(self) -> float | None: ...
    @property
    def closed(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class HeldJournal:
    """A journal on this machine's disk, of a process that lives or died."""

    directory: Path

    @property
    def producer(self) -> str:
        return self.directory.name

    @property
    def end(self) -> int:
        """The offset after its last event."""
        return end_of(self.directory)

    @property
    def written(self) -> datetime.datetime | None:
        """When its last event was appended."""
        try:
            last = segment_path(self.directory, list_segments(self.directory)[-1])
            return moment(last.stat().st_mtime)
        except (IndexError, OSError):
            return None

    def snapshot(self) -> Snapshot:
        return Snapshot(list_segments(self.directory), self.end, None)

    def oldest(self, expected: int) -> float | None:
        """Arrival of its first event from ``expected`` on, seconds since 1970."""
        batch, _place = Reader(self, expected).next_batch()
        return batch and batch.oldest


@dataclass(frozen=True, slots=True)
class Line:
    """One producer as it is now, from all that is known of it."""

    producer: str
    host: str
    pid: int
    seen: datetime.datetime | None
    closed: bool
    recorded: int
    expected: int
    counted: int
    lost: int
    rejected: int
    oldest: float | None
    """Arrival of its oldest event that is not counted, seconds since 1970."""
    held: int
    """Events not counted that lie on this machine's disk."""

    @property
    def waiting(self) -> int:
        return self.recorded - self.expected

    def state(self, now: datetime.datetime) -> State:
        return state_of(self, now)


def state_of(line: Line | Producer, now: datetime.datetime) -> State:
    """What ``in_state`` finds in SQL, for one line."""
    unheard = line.seen is None or line.seen < now - MISSING
    if unheard and line.waiting:
        return State.MISSING
    if line.closed:
        return State.CLOSED
    live = line.seen is not None and line.seen >= now - LIVE
    return State.LIVE if live else State.SILENT


def in_state(
    lines: models.QuerySet[Producer], state: str, now: datetime.datetime
) -> models.QuerySet[Producer]:
    """The lines that are in ``state``."""
    missing = Q(recorded__gt=F("expected")) & (Q(seen__lt=now - MISSING) | Q(seen=None))
    if state == State.MISSING:
        return lines.filter(missing)
    # A comparison with a NULL would be neither true nor false: exclude() minds it.
    lines = lines.exclude(pk__in=lines.filter(missing).values("pk"))
    if state == State.CLOSED:
        return lines.filter(closed=True)
    live = Q(seen__gte=now - LIVE)
    silent = Q(seen__lt=now - LIVE) | Q(seen=None)
    return lines.filter(live if state == State.LIVE else silent, closed=False)


def held_journals(root: Path, site: str) -> dict[str, HeldJournal]:
    """The journals of ``site`` on this machine, by producer."""
    return {
        path.name: HeldJournal(path)
        for path in producer_directories(root)
        if (origin := origin_of(path)) is None or origin.site in ("", site)
    }


def fresh_lines(
    site: str,
    infos: Mapping[str, Word],
    journals: Mapping[str, HeldJournal],
    only_waiting: bool = False,
) -> list[Line]:
    """The ledger's lines, and those that no drain has written down yet.

    What the producers said must have been read before: then nothing that was counted
    meanwhile looks as if it waited.
    """
    names = {*infos, *journals}
    found = Producer.objects.filter(site=site)
    if only_waiting:
        found = found.filter(Q(producer__in=names) | Q(recorded__gt=F("expected")))
    known = {line.producer: line for line in found}
    for name in names - known.keys():
        known[name] = Producer(site=site, producer=name)
    lines = (
        _fresh(line, infos.get(name), journals.get(name))
        for name, line in known.items()
    )
    return [line for line in lines if line.waiting or not only_waiting]


def summary(lines: Iterable[Line], now: float | None = None) -> dict[str, Any]:
    """The sums of ``lines``: ``recorded = counted + waiting + lost + rejected``."""
    lines = list(lines)
    names = ("recorded", "counted", "waiting", "lost", "rejected")
    sums: dict[str, Any] = {
        name: sum(getattr(line, name) for line in lines) for name in names
    }
    sums["oldest_waiting_s"] = oldest_waiting(lines, now)
    sums["producers"] = sum(line.producer != Producer.FOLDED for line in lines)
    return sums


def oldest_waiting(lines: Iterable[Line], now: float | None = None) -> float | None:
    """Seconds for which the oldest event has waited; None if none does."""
    now = time.time() if now is None else now
    waiting = [line for line in lines if line.waiting]
    since = [line.oldest for line in waiting if line.oldest is not None]
    if not waiting:
        return None
    return round(max(0.0, now - min(since, default=now)), 1)


def _fresh(line: Producer, info: Word | None, journal: HeldJournal | None) -> Line:
    end = journal.end if journal else 0
    recorded = max(line.recorded, end, info.recorded if info else 0)
    held = max(end - line.expected, 0)
    oldest = None
    if recorded > line.expected:
        oldest = journal.oldest(line.expected) if journal and held else None
        oldest = oldest or (info and info.oldest) or _seconds(line.oldest or line.seen)
    return Line(
        producer=line.producer,
        host=info.host if info else line.host,
        pid=info.pid if info else line.pid,
        seen=_latest(line.seen, moment(info and info.seen), journal),
        closed=info.closed if info else line.closed,
        recorded=max(recorded, line.expected),
        expected=line.expected,
        counted=line.counted,
        lost=line.lost,
        rejected=line.rejected,
        oldest=oldest,
        held=held,
    )


def _seconds(instant: datetime.datetime | None) -> float | None:
    return instant.timestamp() if instant else None


def _latest(
    seen: datetime.datetime | None,
    said: datetime.datetime | None,
    journal: HeldJournal | None,
) -> datetime.datetime | None:
    """The last sign of life, whoever had it."""
    times = (seen, said, journal and journal.written)
    return max((time for time in times if time), default=None)
