"""Counts the lines of a log, each once, whatever is killed and however often it is run.

Writes rollups, the file's line of the ledger and how far it was read in the same
transactions. A dry run writes nothing.
"""

from __future__ import annotations

import datetime
import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields

from django.utils import timezone

from ..conf import get_config
from ..models import ImportedFile, Producer
from ..recording.event import RequestEvent
from ..rollup.buckets import Grain, bucket_epoch
from ..rollup.direct import count_noted, covered_by
from ..rollup.pace import Pace, collect_by_hand
from . import identity
from .files import Block, LogError, LogFile
from .formats import NAMES, Format, others, recognise
from .lines import LineReader, Unreadable
from .rejects import Rejects
from .targets import Targets

EVENTS_LIMIT = 100_000
"""Events of one transaction, at most."""
EVENTS_LEAST = 10_000
LINES_LIMIT = 1_000_000
"""So many lines, though none is counted, are read before that is noted."""
LOCK_SECONDS = 0.25
"""A transaction that kept others waiting for longer makes the next one smaller."""
LOOKED_AT = (identity.HEAD, 4_000_000)
"""Bytes looked at to recognise a format; more only if the first ones were in vain."""
SHOWN_LINES = 200
QUARTER = 900
"""Seconds. No day of any zone begins between two quarters of an hour."""

Progress = Callable[[LogFile, int], None]
"""(the file, lines read so far)"""


@dataclass(slots=True)
class Sums:
    """What a day brought."""

    requests: int = 0
    views: int = 0
    errors: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Report:
    """What one run did with one file, or with several."""

    lines: int = 0
    counted: int = 0
    rejected: int = 0
    too_new: int = 0
    """May be negative: what an earlier run left was counted by this one."""
    ignored: int = 0
    seconds: float = 0.0
    unfinished: int = 0
    """Lines without an end, which are read when they have one."""
    days: dict[int, Sums] = field(default_factory=dict)
    """By start of the day, in seconds since 1970. Sums in a dry run only."""

    def add(self, other: Report) -> None:
        for one in fields(self):
            if one.name != "days":
                value = getattr(self, one.name) + getattr(other, one.name)
                setattr(self, one.name, value)
        for day, sums in other.days.items():
            mine = self.days.setdefault(day, Sums())
            for name in sums.__slots__:
                setattr(mine, name, getattr(mine, name) + getattr(sums, name))


@dataclass(frozen=True, slots=True)
class Options:
    """How to read, the same for all files."""

    until: datetime.datetime | None
    """Lines from then on are too new; a whole second. None: all are counted."""
    until_told: bool = False
    """Whether somebody said so; else a file keeps the one it was first read with."""
    expected: Format | None = None
    """None: recognised."""
    own_hosts: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    dry_run: bool = False
    site: str = ""
    """Whose requests these are; empty for the own site."""


def import_log(
    log: LogFile, options: Options, rejects: Rejects, progress: Progress
) -> Report:
    """Count what was not counted yet of one file. Raises LogError.

    What was committed before an error stays counted; the next run goes on from there.
    """
    run = _Run(log, options, rejects, progress)
    began = time.monotonic()
    with collect_by_hand():
        run.read_all()
    run.report.seconds = time.monotonic() - began
    return run.report


class _Run:
    """One file, once."""

    def __init__(
        self, log: LogFile, options: Options, rejects: Rejects, progress: Progress
    ) -> None:
        self.report = Report()
        self._log, self._options, self._rejects = log, options, rejects
        self._progress = progress
        self._site = options.site or get_config().site
        self._events: list[RequestEvent] = []
        self._covered: tuple[datetime.datetime, datetime.datetime] | None = None
        self._pace = Pace(EVENTS_LEAST, EVENTS_LIMIT, LOCK_SECONDS)
        self._until = float("inf")
        head = log.peek(identity.HEAD)
        known = identity.known_file(self._site, head)
        self._file = known or identity.new_file(self._site, head, log.name)
        self._head = head
        self._stored = self._position()

    def read_all(self) -> None:
        log, file = self._log, self._file
        if not self._head:
            if log.failure:
                raise LogError(f"{log.path}: {log.failure}.")
            return
        self._read_line = self._reader()
        identity.know_better(file, self._head)
        self._settle_until()
        if file.read < file.reread and log.skip(file.read):
            self._read(log.blocks(file.reread), self._judge_again)
        if log.skip(file.read):
            # It may have been counted before it had its end.
            log.finish_line()
            file.read = log.position
            self._read(log.blocks(), self._judge)
        file.finished = not log.failure
        self._commit()
        if log.failure:
            raise LogError(
                f"{log.path}: {log.failure}; what came before is counted, and the "
                "rest will be when the file is whole."
            )

    def _reader(self) -> LineReader:
        config = get_config()
        chosen = self._options.expected or self._recognised()
        more = () if self._options.expected else others(chosen)
        ignore = (*config.ignore, *self._options.ignore)
        targets = Targets(ignore, own=self._site == config.site)
        return LineReader(config, chosen, more, self._options.own_hosts, targets)

    def _recognised(self) -> Format:
        for size in LOOKED_AT:
            lines = self._log.peek(size).decode("latin-1").split("\n")
            if found := recognise(line for line in lines[:SHOWN_LINES] if line):
                return found
        reason = self._log.failure or (
            "none of its first lines is one of an access log that this command knows "
            f"({', '.join(NAMES)})"
        )
        raise LogError(f"{self._log.path}: {reason}.")

    def _settle_until(self) -> None:
        """Where lines that were too new are not so any more, read them again."""
        file, until = self._file, self._options.until
        if file.until and not self._options.until_told:
            until = file.until
        if file.read < file.reread and until != file.until:
            raise LogError(
                f"{self._log.path}: it was begun with --until {file.until or 'never'} "
                "and not finished; run that first."
            )
        if file.first_new is not None and file.read >= file.reread:
            if until is not None and until < file.until:
                raise LogError(
                    f"{self._log.path}: its lines until {file.until:%Y-%m-%d %H:%M:%S} "
                    "UTC are counted already; --until cannot be earlier."
                )
            if until != file.until:
                file.since, file.reread = file.until, file.read
                file.read, file.first_new = file.first_new, None
        file.until, self._until = until, _millis(until)

    def _read(self, blocks: Iterable[Block], judge: Callable[[Block], None]) -> None:
        noted = self._file.lines
        for block in blocks:
            judge(block)
            if len(self._events) >= self._pace.limit or (
                self._file.lines - noted >= LINES_LIMIT
            ):
                self._commit()
                noted = self._file.lines
            self._progress(self._log, self.report.lines)

    def _judge(self, block: Block) -> None:
        """Read the lines of a block, and enter each into the file's counts."""
        file, read, until = self._file, self._read_line, self._until
        lines = block.text.split("\n")
        if block.whole:
            lines.pop()
        events, ignored, too_new, rejected = [], 0, 0, 0
        for number, line in enumerate(lines, file.lines + 1):
            try:
                event = read(line, block.whole)
            except Unreadable as error:
                if not block.whole:
                    self.report.unfinished += 1
                    return
                if line.strip():
                    rejected += 1
                    self._rejects.add(file.name, number, str(error), line)
                else:
                    ignored += 1
                continue
            if event is None:
                ignored += 1
            elif event.time < until:
                events.append(event)
            else:
                too_new += 1
        if too_new and file.first_new is None:
            file.first_new = block.start
        self._enter(events, len(lines), ignored, too_new, rejected)
        file.read = block.end

    def _judge_again(self, block: Block) -> None:
        """Of lines that were read before, count those that were too new then."""
        file, since, until = self._file, _millis(self._file.since), self._until
        events, too_new = [], 0
        for line in block.text.split("\n"):
            try:
                event = self._read_line(line)
            except Unreadable:
                continue
            if event is not None and event.time >= since:
                if event.time < until:
                    events.append(event)
                else:
                    too_new += 1
        if too_new and file.first_new is None:
            file.first_new = block.start
        self._enter(events, 0, 0, -len(events), 0)
        file.read = block.end

    def _enter(self, events: list[RequestEvent], *counts: int) -> None:
        self._events += events
        lines, ignored, too_new, rejected = counts
        for owner in (self._file, self.report):
            owner.counted += len(events)
            owner.lines += lines
            owner.ignored += ignored
            owner.too_new += too_new
            owner.rejected += rejected

    def _commit(self) -> None:
        """Count what was read so far, together with how far that is."""
        self._note_days()
        if not self._options.dry_run:
            self._rejects.write()
            self._file.seen = timezone.now()
            self._covered = covered_by(self._events)
            took = count_noted(self._events, self._note, self._site)
            self._pace.adapt(took)
            self._stored = self._position()
        self._events.clear()
        # For what Django's exceptions leave.
        gc.collect(1)

    def _note(self) -> None:
        """Called in the transaction that counts, as the only writer."""
        file = self._file
        if self._overtaken():
            raise LogError(
                f"{self._log.path}: another run is importing this file; let it end."
            )
        file.save()
        line, _ = Producer.objects.get_or_create(site=file.site, producer=file.producer)
        line.counted, line.rejected = file.counted, file.rejected
        line.recorded = line.expected = file.counted + file.rejected
        line.seen, line.closed = file.seen, file.finished
        if self._covered:
            line.cover(*self._covered)
        line.save()

    def _overtaken(self) -> bool:
        """Whether another run noted this file, or read on, since this one looked."""
        file = self._file
        if file.pk is None:
            # It may have grown, and be known by more of its first bytes.
            head = self._log.head_now(identity.HEAD) or self._head
            return identity.known_file(file.site, head) is not None
        position = dict(zip(_POSITION, self._stored, strict=True))
        return not ImportedFile.objects.filter(pk=file.pk, **position).exists()

    def _position(self) -> tuple[object, ...]:
        return tuple(getattr(self._file, name) for name in _POSITION)

    def _note_days(self) -> None:
        zone, days = get_config().zone, self.report.days
        if not self._options.dry_run:
            quarters = {event.time // 1000 // QUARTER for event in self._events}
            for quarter in quarters:
                day = bucket_epoch(quarter * QUARTER, Grain.DAY, zone)
                days.setdefault(day, Sums())
            return
        for event in self._events:
            day = bucket_epoch(event.time // 1000, Grain.DAY, zone)
            sums = days.setdefault(day, Sums())
            sums.requests += 1
            sums.views += event.page
            sums.errors += event.status >= 500
            sums.bytes += event.bytes


_POSITION = ("read", "lines", "counted", "reread", "seen")
"""What tells whether anybody else has read on."""


def _millis(moment: datetime.datetime | None) -> float:
    return float("inf") if moment is None else moment.timestamp() * 1000
