"""The shipper: a thread that carries journals to the Redis stream.

Reads this process's journal and those of the site's processes that ended. Writes the
stream, and deletes segments once the drain has said that their events are counted.
Never blocks a request, retries blindly, or lets an exception out of its thread.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

from ..stream import ProducerInfo, Reply, Stream
from .complaints import Complaints
from .folder import delete_left_over, producer_directories, total_bytes
from .journal import Journal, OrphanJournal
from .reader import Batch, Place, Reader

INTERVAL = 0.25
"""Seconds between two looks at the journal."""
POLL_SECONDS = 1.0
"""Seconds between two questions whether what was sent has been counted."""
HEARTBEAT_SECONDS = 10.0
ADOPT_SECONDS = 3.0
ANNOUNCE_SECONDS = 60.0
ADOPTED_LIMIT = 16
"""So many orphans one process holds: each keeps a file open."""
TICK_BATCHES = 20
"""So many batches of theirs are sent before it is the own journal's turn again."""
EXIT_SECONDS = 2.0
ROLL_SECONDS = 5.0
BACKOFF_SECONDS = (0.25, 2.0)


class Shipment:
    """One journal on its way to the stream: what was sent, what is counted."""

    def __init__(
        self, journal: Journal | OrphanJournal, stream: Stream, max_batches: int
    ) -> None:
        self.journal = journal
        self.reader = Reader(journal)
        self.expected = 0
        self.closed = False
        self.paused = False
        self.alive: float | None = None
        """When the process of an adopted journal was last known to live."""
        self._stream = stream
        self._max_batches = max_batches
        self._sent: deque[tuple[int, bytes, float | None]] = deque()
        self._next_exchange = 0.0

    def step(self, closing: bool = False) -> bool:
        """One round trip. True while there is more to send at once.

        Raises StreamError; then nothing has moved, and the same is sent again.
        """
        batch, place = (None, self.reader.place)
        if not self.paused:
            batch, place = self._next(closing)
        info = self._info(batch, closing)
        oldest = self._sent[0][1] if self._sent else b""
        reply = self._stream.exchange(batch, self.journal.producer, info, oldest)
        if batch is not None and reply.entry_id is not None:
            self._note_sent(batch, place, reply.entry_id)
            self.closed = self.closed or (closing and not batch.lines)
        # An empty batch says that nothing of this segment can be read to its end;
        # if somebody deleted the file under us, what follows needs a new one.
        if batch is not None and not batch.lines and isinstance(self.journal, Journal):
            self.journal.roll()
        reached = self.reader.place.offset
        self._learn(reply, oldest)
        more = batch is not None or self.reader.place.offset < reached
        return more and not self.paused and not self.closed

    def _next(self, closing: bool) -> tuple[Batch | None, Place]:
        batch, place = self.reader.next_batch()
        if batch is None and closing and not self.closed:
            batch = self.reader.empty_batch(place.offset, place.follows)
        return batch, place

    def is_due(self, now: float) -> bool:
        """Whether there is something to send, to learn or to say.

        ``now`` is in seconds of the monotonic clock.
        """
        recorded = self.journal.next_offset
        fresh = self.reader.place.offset < recorded and not self.paused
        if not fresh and now < self._next_exchange:
            return False
        waiting = self.expected < recorded
        self._next_exchange = now + (POLL_SECONDS if waiting else HEARTBEAT_SECONDS)
        return True

    def _info(self, batch: Batch | None, closing: bool) -> ProducerInfo:
        oldest = self._sent[0][2] if self._sent else batch and batch.oldest
        last = closing and not self.paused and (batch is None or not batch.lines)
        return ProducerInfo(
            recorded=self.journal.next_offset,
            host=self.journal.origin.host,
            pid=self.journal.origin.pid,
            started=self.journal.origin.started,
            seen=round(time.time(), 3),
            oldest=oldest,
            closed=last or self.closed,
            alive=self.alive,
        )

    def _note_sent(self, batch: Batch, place: Place, entry_id: bytes) -> None:
        self.reader.place = place
        if batch.end > self.expected:
            self._sent.append((batch.end, entry_id, batch.oldest))

    def _learn(self, reply: Reply, oldest: bytes) -> None:
        self.paused = reply.backlog >= self._max_batches
        if reply.expected is not None:
            self.expected = reply.expected
            while self._sent and self._sent[0][0] <= self.expected:
                self._sent.popleft()
            self.journal.delete_counted(self.expected)
        gone = oldest and not reply.oldest_present
        if reply.rewind is not None:
            self._rewind(reply.rewind)
        elif gone and self._sent and self._sent[0][1] == oldest:
            self._rewind(self.expected)

    def _rewind(self, offset: int) -> None:
        if offset < self.reader.place.offset or self.closed:
            self._sent.clear()
            self.closed = False
            self.reader.rewind(min(offset, self.reader.place.offset))

    def resume(self, orphan: OrphanJournal) -> None:
        """Go on with a journal that was let go, and adopted again."""
        orphan.next_offset = max(orphan.next_offset, self.journal.next_offset)
        self.journal = self.reader.journal = orphan

    @property
    def unsent(self) -> int:
        """Events that were recorded and not sent yet."""
        return max(self.journal.next_offset - self.reader.place.offset, 0)

    @property
    def counted(self) -> bool:
        """Whether everything that was recorded is counted."""
        return self.expected >= self.journal.next_offset


class Shipper:
    """Ships one process's journal, and adopts those of the dead.

    ``journal`` may be None: then it only adopts (the drain task, the command).
    """

    def __init__(
        self,
        stream: Stream,
        root: Path,
        *,
        journal: Journal | None = None,
        max_bytes: int,
        max_batches: int,
        counters: Counter[str] | None = None,
    ) -> None:
        self.stream = stream
        self.root = root
        self.journal = journal
        self.counters = Counter() if counters is None else counters
        self._max_bytes = max_bytes
        self._max_batches = max_batches
        self._own = journal and Shipment(journal, stream, max_batches)
        self._complaints = Complaints(self.counters)
        self._adopted: dict[str, Shipment] = {}
        self._let_go: dict[str, Shipment] = {}
        """Orphans above the limit: what was sent of them need not be sent again."""
        self._stop = Event()
        self._thread: Thread | None = None
        self._failures = 0
        self._next_adoption = self._deadline = self._next_announcement = 0.0
        self._quiet_at, self._quiet_since = -1, 0.0

    def start(self) -> None:
        """Run in a daemon thread until ``stop``."""
        self._thread = Thread(target=self._run, name="analytics-shipper", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = EXIT_SECONDS) -> None:
        """Ship what is left, for at most ``timeout`` seconds."""
        self._deadline = time.monotonic() + timeout
        self._stop.set()
        # One that could not be started cannot be joined either.
        if self._thread and self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stop.wait(self._pause()):
            self._guarded(self.tick)
            self._complaints.say()
        self._guarded(self._finish)
        self._complaints.say()
        self._release_adopted()

    def _guarded(self, action) -> None:
        """The site must not notice: what fails is counted, and tried again."""
        try:
            action()
        except Exception as error:
            self._failures += 1
            self.counters[f"ship: {type(error).__name__}"] += 1
        else:
            self._failures = 0

    def _pause(self) -> float:
        if not self._failures:
            return INTERVAL
        first, longest = BACKOFF_SECONDS
        return min(first * 2 ** min(self._failures, 10), longest)

    def tick(self) -> None:
        """One look at everything: ship, and adopt when it is time."""
        now = time.monotonic()
        adopting = now >= self._next_adoption
        if adopting:
            self._next_adoption = now + ADOPT_SECONDS
            # First of all: it matters most when Redis is away.
            self._watch_size()
        if self._own and self._own.is_due(now):
            self._ship(self._own)
            self._roll_when_quiet(now)
        if self._own and now >= self._next_announcement:
            self._announce(now)
        if adopting:
            self.adopt()
        left = TICK_BATCHES
        for shipment in list(self._adopted.values()):
            if left and shipment.is_due(now):
                left -= self._ship(shipment, closing=True, most=left)
                self._bury(shipment)

    def _announce(self, now: float) -> None:
        """The dashboard is to know that this site is there, even if it counts none of
        it yet."""
        # What goes wrong here is to keep nothing else waiting.
        self._next_announcement = now + ADOPT_SECONDS
        if not self.stream.registry.announce(self.stream.site):
            self.counters["announce: too many sites"] += 1
        self._next_announcement = now + ANNOUNCE_SECONDS

    def sweep(self) -> tuple[int, int]:
        """Adopt and ship at once all that dead processes left on this machine.

        Returns how many journals these are, and how many of their events are not
        sent because the stream is full. Raises StreamError.
        """
        journals = unsent = 0
        for shipment in self._all_orphans():
            self._ship(shipment, closing=True)
            journals += 1
            unsent += shipment.unsent
            self._bury(shipment)
            if len(self._adopted) > ADOPTED_LIMIT:
                del self._adopted[shipment.journal.producer]
                shipment.journal.close()
                self._let_go[shipment.journal.producer] = shipment
        return journals, unsent

    def _all_orphans(self) -> Iterator[Shipment]:
        """Those in our care, then one at a time all others that nobody holds."""
        delete_left_over(self.root)
        held = dict(self._adopted)
        yield from held.values()
        directories = {path.name: path for path in producer_directories(self.root)}
        for name, directory in directories.items():
            if name not in held and self._adopt(directory):
                yield self._adopted[name]
        self._let_go = {n: s for n, s in self._let_go.items() if n in directories}

    def _bury(self, shipment: Shipment) -> None:
        if shipment.closed and shipment.counted:
            shipment.journal.remove()
            del self._adopted[shipment.journal.producer]

    def _roll_when_quiet(self, now: float) -> None:
        """Once all is counted, nothing about a visitor needs to stay on disk."""
        recorded = self.journal.next_offset
        if recorded != self._quiet_at:
            self._quiet_at, self._quiet_since = recorded, now
        elif now - self._quiet_since > ROLL_SECONDS and self._own.counted:
            self.journal.roll()
            self.journal.delete_counted(self._own.expected)

    def _ship(
        self, shipment: Shipment, closing: bool = False, most: int | None = None
    ) -> int:
        """Send what was recorded until now; what comes meanwhile can wait.

        Returns the number of round trips, at ``most`` so many.
        """
        recorded = shipment.journal.next_offset
        trips = 1
        while shipment.step(closing) and trips != most and not self._stop.is_set():
            if not closing and shipment.reader.place.offset >= recorded:
                break
            trips += 1
        return trips

    def adopt(self) -> int:
        """Take over the journals of dead processes; how many are in our care.

        Those above the limit wait on disk: for others, or until these are counted.
        """
        delete_left_over(self.root)
        for directory in producer_directories(self.root):
            if len(self._adopted) >= ADOPTED_LIMIT:
                break
            if directory.name not in self._adopted:
                self._adopt(directory)
        return len(self._adopted)

    def _adopt(self, directory: Path) -> bool:
        orphan = OrphanJournal.adopt(directory, self.stream.site)
        if orphan is None:
            return False
        shipment = self._let_go.pop(directory.name, None)
        if shipment:
            shipment.resume(orphan)
        else:
            shipment = self._take_over(orphan)
        self._adopted[directory.name] = shipment
        return True

    def _take_over(self, orphan: OrphanJournal) -> Shipment:
        """Start where the dead process was counted, and end where it had come to.

        What it said it recorded, but what is not in its journal, is nowhere.
        """
        alive = orphan.written
        try:
            if info := self.stream.info(orphan.producer):
                orphan.next_offset = max(orphan.next_offset, info.recorded)
                alive = max(alive, info.alive or info.seen)
            shipment = Shipment(orphan, self.stream, self._max_batches)
            shipment.alive = alive
            expected = self.stream.expected(orphan.producer)
        except Exception:
            orphan.close()
            raise
        shipment.expected = expected or 0
        shipment.reader.rewind(shipment.expected)
        return shipment

    def _watch_size(self) -> None:
        if self.journal:
            self.journal.full = total_bytes(self.root) >= self._max_bytes

    def _finish(self) -> None:
        if self._own and self.journal.next_offset:
            if not self._next_announcement:
                # A process that ended before its first look at anything.
                self._announce(time.monotonic())
            while time.monotonic() < self._deadline and self._own.step(closing=True):
                pass
            if self._own.closed:
                self.journal.vacate(self._own.expected)

    def release(self) -> None:
        """Let go of all journals; what is left of them can be adopted."""
        self._release_adopted()
        if self.journal:
            self.journal.close()

    def _release_adopted(self) -> None:
        for shipment in self._adopted.values():
            shipment.journal.close()
        self._adopted.clear()

    def abandon(self) -> None:
        """In a forked child: close what was inherited, without unlocking it."""
        for shipment in self._adopted.values():
            shipment.journal.abandon()
