"""Decides what becomes of each entry of the stream: the protocol of exactly once.

Reads entries and the ledger's lines; changes those lines in memory and collects the
events to count. No SQL, no Redis: whoever commits a plan commits all of it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from msgspec.structs import astuple

from ..models import DeadLetter, Producer
from ..recording.event import RequestEvent, decode, decode_many
from ..stream import BadEntry, Entry, Malformed, ProducerInfo, moment
from ..words import number

UNREADABLE_LIMIT = 3
"""So often may a batch come unreadable; then its events are rejected."""
CONTENT_LIMIT = 4_096
LETTERS_LIMIT = 100
"""So many dead letters does one transaction write; the tally counts the others."""
AHEAD = 86_400_000
"""Milliseconds that a clock may be ahead of ours."""
ESCAPE = b"\\u"
"""How JSON writes a NUL, say, which PostgreSQL refuses: such events are looked at."""
ARRIVAL = attrgetter("time")


@dataclass(slots=True)
class Tally:
    """What a drain did, for its sentence in the admin."""

    events: int = 0
    batches: int = 0
    duplicates: int = 0
    lost: int = 0
    rejected: int = 0
    dead: int = 0
    rewinds: int = 0

    def add(self, other: Tally) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __str__(self) -> str:
        if not any(getattr(self, name) for name in self.__slots__):
            return ""
        parts = [f"{_some(self.events, 'event')} in {_some(self.batches, 'batch')}"]
        if self.duplicates:
            parts.append(_some(self.duplicates, "duplicate batch"))
        for name in ("lost", "rejected"):
            if count := getattr(self, name):
                parts.append(f"{number(count)} {name}")
        if self.dead:
            parts.append(_some(self.dead, "dead letter"))
        if self.rewinds:
            parts.append(_some(self.rewinds, "rewind"))
        return ", ".join(parts)


@dataclass(slots=True)
class Plan:
    """The entries' effect, built up in the order they came."""

    site: str
    now: datetime.datetime
    lines: dict[str, Producer]
    """Producer -> its line of the ledger; new ones are added."""
    unreadable: Callable[[Entry], int]
    """How often this batch has come unreadable before."""
    infos: Mapping[str, ProducerInfo] = field(default_factory=dict)
    """What the producers said last; read after the entries were."""
    folded: datetime.datetime | None = None
    """Lines unheard of since then may have been folded into one."""
    events: list[RequestEvent] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    rewinds: dict[str, int] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)

    def take(self, entries: Iterable[Entry | BadEntry]) -> None:
        for entry in entries:
            if isinstance(entry, BadEntry):
                self._refuse(entry)
            else:
                self._take(entry)

    def hear(self) -> None:
        """Note in the ledger what the producers say of themselves."""
        for name, info in self.infos.items():
            if self._may_be_folded(name):
                continue
            line = self.line(name)
            line.host, line.pid = info.host, info.pid
            line.started, line.seen = moment(info.started), moment(info.seen)
            alive = (line.alive, moment(info.alive or info.seen))
            line.alive = max(filter(None, alive), default=None)
            line.recorded = max(line.recorded, info.recorded)
            line.oldest = moment(info.oldest) if line.waiting else None
            line.closed = info.closed

    def line(self, producer: str) -> Producer:
        if producer not in self.lines:
            new = Producer(site=self.site, producer=producer, seen=self.now)
            self.lines[producer] = new
        return self.lines[producer]

    def _may_be_folded(self, producer: str) -> bool:
        """Whether what was counted of an unknown producer may be forgotten by now."""
        if producer in self.lines or self.folded is None:
            return False
        info = self.infos.get(producer)
        return info is None or info.started <= self.folded.timestamp()

    def _refuse_folded(self, entry: Entry) -> None:
        """Better known as rejected than counted twice.

        All that such a producer holds is rejected at once, so that its journal comes
        to its end. Without a word of it nobody holds a journal: somebody repeats an
        old entry.
        """
        reason = "its ledger line was folded: this may have been counted before"
        self._letter(DeadLetter.Kind.HEADER, entry, reason, entry.body)
        if info := self.infos.get(entry.producer):
            line = self.line(entry.producer)
            self.touched.add(entry.producer)
            line.rejected = line.expected = max(info.recorded, entry.end)
            line.recorded = line.expected
            self.tally.rejected += line.rejected

    def _take(self, entry: Entry) -> None:
        if self._may_be_folded(entry.producer):
            self._refuse_folded(entry)
            return
        line = self.line(entry.producer)
        self.touched.add(entry.producer)
        line.recorded = max(line.recorded, entry.end)
        if entry.end < line.expected or (entry.count and entry.end == line.expected):
            self.tally.duplicates += 1
            return
        if entry.offset > line.expected and entry.follows > line.expected:
            self._rewind(entry.producer)
            return
        try:
            lines = entry.lines()
        except Malformed as error:
            self._unreadable(entry, line, str(error))
            return
        self._skip_hole(entry, line)
        self._count(entry, line, lines[line.expected - entry.offset :])

    def _skip_hole(self, entry: Entry, line: Producer) -> None:
        """What lies before the batch and is not in its journal exists nowhere."""
        if entry.offset > line.expected:
            hole = entry.offset - line.expected
            line.lost += hole
            line.expected = entry.offset
            self.tally.lost += hole
        self.rewinds.pop(entry.producer, None)

    def _count(self, entry: Entry, line: Producer, lines: list[bytes]) -> None:
        events = self._decode(entry, lines)
        self.events += events
        self.tally.events += len(events)
        self.tally.batches += 1 if entry.count else 0
        self.tally.rejected += len(lines) - len(events)
        line.counted += len(events)
        line.rejected += len(lines) - len(events)
        line.expected += len(lines)

    def _decode(self, entry: Entry, lines: list[bytes]) -> list[RequestEvent]:
        body = b"[" + b",".join(lines) + b"]"
        try:
            events = decode_many(body)
        except ValueError:
            events = []
        sound = events and len(events) == len(lines) and ESCAPE not in body
        if sound and max(map(ARRIVAL, events)) <= self._latest(entry):
            return events
        return [event for line in lines if (event := self._decode_one(entry, line))]

    def _decode_one(self, entry: Entry, line: bytes) -> RequestEvent | None:
        try:
            event = decode(line)
        except ValueError as error:
            reason = str(error)
        else:
            reason = _unprintable(event)
            if event.time > self._latest(entry):
                reason = "The event's time lies in the future."
            if not reason:
                return event
        self._letter(DeadLetter.Kind.EVENT, entry, reason, line)
        return None

    def _latest(self, entry: Entry) -> float:
        """No event of a clock that is right is later, in milliseconds since 1970.

        Two clocks are asked, ours and the one of Redis in the entry's id: to reject is
        for ever.
        """
        shipped = int(entry.id.partition(b"-")[0])
        return max(self.now.timestamp() * 1000, shipped) + AHEAD

    def _unreadable(self, entry: Entry, line: Producer, reason: str) -> None:
        """Ask for it again from the journal; the third time let it be rejected."""
        before = self.unreadable(entry)
        self._letter(DeadLetter.Kind.BODY, entry, reason, entry.body)
        if before + 1 < UNREADABLE_LIMIT:
            self._rewind(entry.producer)
            return
        self._skip_hole(entry, line)
        rest = entry.end - line.expected
        line.rejected += rest
        line.expected += rest
        self.tally.rejected += rest

    def _rewind(self, producer: str) -> None:
        self.rewinds[producer] = self.lines[producer].expected
        self.tally.rewinds += 1

    def _refuse(self, entry: BadEntry) -> None:
        """Not believed, so the ledger stays; the named producer may send again."""
        if entry.producer in self.lines:
            self.touched.add(entry.producer)
            self._rewind(entry.producer)
        content = b"\n".join(b"%s=%s" % item for item in entry.fields.items())
        self._letter(DeadLetter.Kind.HEADER, entry, entry.reason, content)

    def _letter(
        self,
        kind: DeadLetter.Kind,
        entry: Entry | BadEntry,
        reason: str,
        content: bytes,
    ) -> None:
        self.tally.dead += 1
        # That a batch was unreadable has to be remembered; of the rest, examples.
        if kind != DeadLetter.Kind.BODY and len(self.letters) >= LETTERS_LIMIT:
            return
        self.letters.append(
            DeadLetter(
                kind=kind,
                site=self.site,
                created=self.now,
                entry=entry.id.decode("ascii", "replace")[:50],
                producer=entry.producer,
                offset=getattr(entry, "offset", None),
                reason=reason[:300],
                content=content[:CONTENT_LIMIT],
            )
        )


def _unprintable(event: RequestEvent) -> str:
    texts = [text for text in astuple(event) if isinstance(text, str)]
    if "".join((*texts, *event.kwargs, *event.kwargs.values())).isprintable():
        return ""
    return "The event's text has control characters, which no recorder writes."


def _some(count: int, noun: str) -> str:
    """``1 batch``, ``2 batches``."""
    plural = "" if count == 1 else "es" if noun.endswith("h") else "s"
    return f"{number(count)} {noun}{plural}"
