"""The drain: entries of the stream become rollup rows and ledger lines.

Reads the stream from its head. Writes rollups, ledger and dead letters together, in
transactions of bounded size; then says what is counted and deletes the entries. Any
number may run at once, be killed anywhere, or run twice: the numbers stay right.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from django.db import transaction
from django.utils import timezone

from ..batches import batched
from ..conf import get_config
from ..failpoints import fail_point
from ..models import DeadLetter, Producer, Writer
from ..stream import BadEntry, Entry, ProducerInfo, Stream
from . import store
from .dimensions import dimensions_of
from .fold import fold
from .pace import Pace, collect_by_hand
from .plan import Plan, Tally

EVENTS_LIMIT = 50_000
"""Events of one transaction, at most."""
EVENTS_LEAST = 1_000
EVENT_BYTES = 256
LOCK_SECONDS = 0.2
"""A transaction that held the lock for longer makes the next one smaller. Small ones
count slowly: the same rows are read and written again and again."""
RUN_SECONDS = 30.0
"""A run that is never out of work ends here; the next tick goes on."""
READ_ENTRIES = 50
OPTIMISTIC_TRIES = 3
LINES_LIMIT = 500
"""Lines of the ledger that one transaction writes only to say that they were heard."""
HEARD_SECONDS = 60.0
FORGET_SECONDS = 3_600.0
SILENT_SECONDS = 24 * 3_600.0
SETTLED_SECONDS = 5.0
"""A producer that had something on its way would have spoken since."""


class Drain:
    """Drains one site's stream. Keeps between runs how much a transaction bears."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.site = stream.site
        self.lock_seconds: list[float] = []
        """How long each transaction of the last run held the writer row."""
        self.more = False
        """Whether the last run ended before its work did."""
        self._pace = Pace(EVENTS_LEAST, EVENTS_LIMIT, LOCK_SECONDS)
        self._heard = 0.0

    def run(self, seconds: float = RUN_SECONDS) -> Tally:
        """Drain until nothing waits or ``seconds`` have passed.

        Raises StreamError or a database error; what was committed stays counted.
        """
        tally = Tally()
        self.lock_seconds = []
        self.more = False
        deadline = time.monotonic() + seconds
        while entries := self._read():
            names = {entry.producer for entry in entries}
            tally.add(self._apply(entries, self.stream.producers_named(names)))
            if time.monotonic() >= deadline:
                self.more = True
                break
        self._listen(self.stream.producers())
        self.stream.finished()
        return tally

    def _read(self) -> list[Entry | BadEntry]:
        """Entries from the head, up to the events one transaction may have."""
        entries: list[Entry | BadEntry] = []
        events, limit = 0, self._pace.limit
        while events < limit:
            found = self.stream.read(READ_ENTRIES, entries[-1].id if entries else b"")
            for entry in found:
                events += _weight(entry)
                if entries and events > limit:
                    return entries
                entries.append(entry)
            if len(found) < READ_ENTRIES:
                break
        return entries

    def _apply(
        self, entries: Sequence[Entry | BadEntry], infos: dict[str, ProducerInfo]
    ) -> Tally:
        """Count the entries, publish it, and delete them from the stream."""
        plan = None
        for _ in range(OPTIMISTIC_TRIES):
            if plan := self._commit(entries, infos, optimistic=True):
                break
        plan = plan or self._commit(entries, infos, optimistic=False)
        fail_point("drain-after-commit")
        expected = {name: plan.lines[name].expected for name in plan.touched}
        self.stream.publish(expected, plan.rewinds, [entry.id for entry in entries])
        fail_point("drain-after-publish")
        return plan.tally

    def _commit(
        self,
        entries: Sequence[Entry | BadEntry],
        infos: dict[str, ProducerInfo],
        optimistic: bool,
    ) -> Plan | None:
        """One transaction; None if somebody else wrote while we were planning.

        Reading, folding and merging come before the lock: the claim proves that
        what was read is still so. Only after losing it again and again is the lock
        taken first, so that every drain comes to an end.
        """
        generation = Writer.objects.of(self.site, get_config().zone.key).generation
        fail_point("drain-before-write")
        if optimistic:
            with collect_by_hand():
                plan, rows = self._prepare(entries, infos)
            with transaction.atomic():
                if not Writer.objects.claim(self.site, generation):
                    return None
                started = time.monotonic()
                self._write(plan, rows)
                fail_point("drain-before-commit")
        else:
            with transaction.atomic():
                Writer.objects.lock(self.site)
                started = time.monotonic()
                plan, rows = self._prepare(entries, infos)
                self._write(plan, rows)
        self.lock_seconds.append(time.monotonic() - started)
        self._pace.adapt(self.lock_seconds[-1])
        return plan

    def _prepare(
        self, entries: Sequence[Entry | BadEntry], infos: dict[str, ProducerInfo]
    ) -> tuple[Plan, list[store.PackedRow]]:
        names = {Producer.FOLDED, *infos, *(entry.producer for entry in entries)}
        lines = Producer.objects.filter(site=self.site, producer__in=names)
        known = {line.producer: line for line in lines}
        folded = known.pop(Producer.FOLDED, None)
        plan = Plan(
            site=self.site,
            now=timezone.now(),
            lines=known,
            unreadable=_counter_of_unreadable(self.site),
            infos=infos,
            folded=folded and folded.seen,
        )
        plan.take(entries)
        plan.hear()
        zone = get_config().zone
        admit = store.Admission(self.site)
        rows = fold(plan.events, dimensions_of(self.site), zone, admit)
        store.add_existing(self.site, rows)
        return plan, store.pack_rows(self.site, rows)

    def _write(self, plan: Plan, rows: list[store.PackedRow]) -> None:
        store.write_packed(rows)
        store.save_lines(plan.lines.values())
        DeadLetter.objects.bulk_create(plan.letters)

    def _listen(self, infos: dict[str, ProducerInfo]) -> None:
        """Keep the ledger fresh while nothing is to be counted.

        What changes with every heartbeat is written once a minute.
        """
        lines = Producer.objects.filter(site=self.site)
        if len(infos) < LINES_LIMIT:
            lines = lines.filter(producer__in=infos)
        known = {line.producer: line for line in lines if line.producer in infos}
        news = infos
        if time.monotonic() - self._heard < HEARD_SECONDS:
            pairs = infos.items()
            news = {n: info for n, info in pairs if _is_news(known.get(n), info)}
        else:
            self._heard = time.monotonic()
        for some in batched(news.items(), LINES_LIMIT):
            self._apply((), dict(some))
        self.stream.publish({}, _behind(infos, known), ())
        self._forget(infos, known)

    def _forget(
        self, infos: dict[str, ProducerInfo], known: dict[str, Producer]
    ) -> None:
        """Drop from Redis the producers that ended and are wholly counted.

        One that was killed, and left nothing to adopt, never says that it ended.
        """
        now = time.time()
        self.stream.forget(
            name
            for name, info in infos.items()
            if now - info.seen > (FORGET_SECONDS if info.closed else SILENT_SECONDS)
            and name in known
            and not known[name].waiting
        )


def _weight(entry: Entry | BadEntry) -> int:
    """In events; what is not believed may be of any size."""
    if isinstance(entry, Entry):
        return entry.count
    return 1 + sum(map(len, entry.fields.values())) // EVENT_BYTES


def _behind(
    infos: dict[str, ProducerInfo], known: dict[str, Producer]
) -> dict[str, int]:
    """Rewinds for producers that believe more to be counted than the ledger has.

    So it is after the database was restored to an older state. What they still hold
    comes again, and of the rest they say that it is nowhere.
    """
    limit = time.time() - SETTLED_SECONDS
    return {
        name: line.expected
        for name, line in known.items()
        if not infos[name].closed
        and infos[name].oldest is None
        and infos[name].seen < limit
        and infos[name].recorded > line.expected
    }


def _is_news(line: Producer | None, info: ProducerInfo) -> bool:
    if line is None:
        return True
    return info.recorded > line.recorded or info.closed != line.closed


def _counter_of_unreadable(site: str) -> Callable[[Entry], int]:
    """Counts a batch's earlier dead letters."""

    def count(entry: Entry) -> int:
        return DeadLetter.objects.filter(
            kind=DeadLetter.Kind.BODY,
            site=site,
            producer=entry.producer,
            offset=entry.offset,
        ).count()

    return count
