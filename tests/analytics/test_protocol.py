"""The protocol of exactly once, as a state machine over the real parts.

Real journals on disk, a real Valkey, the real drain in a real database; the faults are
put between them. Whatever order the actions come in, each recorded event is counted
once, or is known to be lost.
"""

import errno
import itertools
import os
import shutil
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from analytics.models import DeadLetter, Producer, Rollup, Writer
from analytics.recording import journal as journal_module
from analytics.recording import reader
from analytics.recording.event import encode
from analytics.recording.folder import list_segments, segment_path
from analytics.recording.journal import Journal, OrphanJournal
from analytics.recording.shipper import Shipment
from analytics.rollup import drain as drain_module
from analytics.rollup.buckets import Grain
from analytics.rollup.drain import Drain
from analytics.stream import Stream, StreamError
from tests.analytics.recording.events import event

EXAMPLES = int(os.environ.get("PROTOCOL_EXAMPLES", "40"))
STEPS = 40
ROUNDS = 60
LINES_IN_SEGMENT = 4
TABLES = (Rollup, Producer, Writer)


class Network(Stream):
    """A stream whose next round trip may go wrong."""

    outcome = "ok"

    def exchange(self, batch, producer, info, oldest):
        outcome, self.outcome = self.outcome, "ok"
        if outcome == "refused":
            raise StreamError("refused")
        if outcome == "late":
            self.late.append(batch)
            raise StreamError("timed out; the server executes it some time later")
        reply = super().exchange(batch, producer, info, oldest)
        if outcome == "unanswered":
            raise StreamError("timed out, but executed")
        return reply

    def deliver_late(self):
        batch = self.late.pop()
        if batch is not None:
            self.client.xadd(self.events, self.pack(batch))


class Process:
    """A web process: its journal, what carries it, and which offsets are holes."""

    def __init__(self, root, network):
        self.network = network
        self.root = root
        self.journal = Journal(root)
        self.shipment = Shipment(self.journal, network, 10**6)
        self.producer = self.journal.producer
        self.recorded = 0
        self.holes = set()
        self.alive = True
        self.buried = False

    @property
    def directory(self):
        return self.root / self.producer

    def record(self, disk_full):
        route = f"/{self.producer}/{self.recorded}"
        line = encode(event(route=route)) + b"\n"
        if disk_full:
            with _full_disk():
                self.journal.append(line)
            self.holes.add(self.recorded)
        else:
            self.journal._retry_at = 0.0
            self.journal.append(line)
        self.recorded += 1

    def die_and_be_adopted(self):
        """Killed with -9; another process takes the journal over at once."""
        if self.alive:
            self.journal.abandon()
            self.alive = False
        else:
            self.journal.close()
        orphan = OrphanJournal.adopt(self.directory)
        if orphan is None:
            self.buried = not self.directory.exists()
            return
        orphan.next_offset = self.recorded
        self.journal = orphan
        self.shipment = Shipment(orphan, self.network, 10**6)

    def ship(self):
        if self.buried:
            return
        try:
            self.shipment.step(closing=not self.alive)
        except StreamError:
            return
        if not self.alive and self.shipment.closed and self.shipment.counted:
            self.journal.remove()
            self.buried = True

    def delete_segment(self, number):
        """Somebody's rm. What of it is not counted yet is nowhere any more."""
        segments = list_segments(self.directory)
        if len(segments) < 2:
            return set()
        index = number % (len(segments) - 1)
        path = segment_path(self.directory, segments[index])
        lines = path.read_bytes().count(b"\n")
        path.unlink()
        return set(range(segments[index], segments[index] + lines))


class Protocol(RuleBasedStateMachine):
    """Actions in any order, then quiescence, then the invariants."""

    stream_url: str

    @initialize(
        count=st.integers(1, 3),
        restorable=st.sampled_from((False, False, False, True)),
        wiped_at_last=st.booleans(),
    )
    def start(self, count, restorable, wiped_at_last):
        self.root = Path(tempfile.mkdtemp(prefix="journal-"))
        self.network = Network(self.stream_url, "protocol", b"key")
        self.network.late = []
        self.network.client.flushall()
        for table in (*TABLES, DeadLetter):
            table.objects.all().delete()
        self.processes = []
        self.deleted = {}
        for _ in range(count):
            self.fork()
        self.open_drains = []
        self.restorable = restorable
        self.wiped_at_last = wiped_at_last
        self.backup = None
        self.restored = False

    def fork(self):
        process = Process(self.root, self.network)
        self.processes.append(process)
        self.deleted[process.producer] = set()
        return process

    def pick(self, number):
        return self.processes[number % len(self.processes)]

    def pick_alive(self, number):
        alive = [process for process in self.processes if process.alive]
        return alive[number % len(alive)]

    @rule(number=st.integers(0, 2), times=st.integers(1, 5), full=st.booleans())
    def record(self, number, times, full):
        process = self.pick_alive(number)
        for _ in range(times):
            process.record(disk_full=False)
        if full and times == 1:
            process.record(disk_full=True)

    @rule(
        number=st.integers(0, 9),
        size=st.integers(1, 6),
        outcome=st.sampled_from(("ok",) * 5 + ("unanswered", "refused", "late")),
    )
    def ship(self, number, size, outcome):
        reader.BATCH_EVENTS = size
        self.network.outcome = outcome
        self.pick(number).ship()

    @rule(limit=st.sampled_from((1, 2, 100)))
    def begin_drain(self, limit):
        drain = Drain(self.network)
        self.open_drains.append((drain, self.network.read(limit)))

    @precondition(lambda self: self.open_drains)
    @rule(
        number=st.integers(0, 5),
        crash=st.sampled_from((None, None, "before commit", "after commit", "publish")),
    )
    def end_drain(self, number, crash):
        drain, entries = self.open_drains.pop(number % len(self.open_drains))
        self.finish(drain, entries, crash)

    def finish(self, drain, entries, crash=None):
        infos = self.network.producers()
        if crash == "before commit":
            with transaction.atomic():
                drain._commit(entries, infos, optimistic=False)
                transaction.set_rollback(True)
            return
        plan = drain._commit(entries, infos, optimistic=True)
        if crash == "after commit":
            return
        expected = {name: plan.lines[name].expected for name in plan.touched}
        done = () if crash == "publish" else [entry.id for entry in entries]
        self.network.publish(expected, plan.rewinds, done)

    @precondition(lambda self: self.network.late)
    @rule()
    def deliver_late(self):
        self.network.deliver_late()

    @rule()
    def flush(self):
        self.network.client.flushall()

    @rule(number=st.integers(0, 20), all_after=st.booleans())
    def lose_entries(self, number, all_after):
        """One entry deleted, or a fail-over to a replica that lagged behind."""
        ids = [entry.id for entry in self.network.read(100)]
        doomed = ids[number:] if all_after else ids[number : number + 1]
        if doomed:
            self.network.client.xdel(self.network.events, *doomed)

    @rule(number=st.integers(0, 9))
    def die(self, number):
        """A process is killed; the server starts another one. Or an adopter dies."""
        process = self.pick(number)
        if process.alive:
            self.fork()
        process.die_and_be_adopted()

    @rule(number=st.integers(0, 9), segment=st.integers(0, 10))
    def delete_segment(self, number, segment):
        process = self.pick(number)
        self.deleted[process.producer] |= process.delete_segment(segment)

    @precondition(lambda self: self.restorable)
    @rule()
    def back_up_or_restore(self):
        """The database goes back to an older state; Redis does not."""
        if self.backup is None:
            self.backup = {table: list(table.objects.all()) for table in TABLES}
            return
        for table, rows in self.backup.items():
            table.objects.all().delete()
            table.objects.bulk_create(rows)
        self.backup, self.restored = None, True

    def teardown(self):
        if not hasattr(self, "root"):
            return
        try:
            self.settle()
            for process in self.processes:
                self.check(process)
            self.check_totals()
        finally:
            for process in self.processes:
                process.journal.close()
            self.network.close()
            shutil.rmtree(self.root, ignore_errors=True)

    def settle(self):
        """No more faults, but a neighbour that keeps the stream busy."""
        while self.network.late:
            self.network.deliver_late()
        for drain, entries in self.open_drains:
            self.finish(drain, entries)
        reader.BATCH_EVENTS = 1000
        self.ship_all()
        if self.backup is not None:
            Drain(self.network).run()
            self.ship_all()
            self.back_up_or_restore()
        if self.wiped_at_last:
            self.network.client.flushall()
        neighbour = self.fork()
        for _ in range(ROUNDS):
            neighbour.record(disk_full=False)
            self.ship_all()
            Drain(self.network).run()
            if not Producer.objects.waiting().exists() and self.network.backlog() == 0:
                return

    def ship_all(self):
        for process in self.processes:
            for _ in range(3):
                process.ship()

    def check(self, process):
        line = Producer.objects.filter(producer=process.producer).first()
        if line is None:
            assert process.recorded == 0 or self.restored
            return
        assert line.counted + line.lost + line.rejected == line.expected
        assert line.rejected == 0
        if self.restored:
            held = process.directory.exists()
            assert not held or line.expected == process.recorded
            return
        assert line.expected == process.recorded
        uncounted = set(range(process.recorded)) - self.counted_of(process)
        assert len(uncounted) == line.lost
        assert process.holes <= uncounted
        assert uncounted <= process.holes | self.deleted[process.producer]

    def counted_of(self, process):
        rows = Rollup.objects.of("protocol", "route", Grain.DAY)
        keys = rows.filter(key__startswith=f"/{process.producer}/")
        found = Counter(dict(keys.values_list("key", "requests")))
        assert set(found.values()) <= {1}, found
        return {int(key.rpartition("/")[2]) for key in found}

    def check_totals(self):
        for dimension, grain in itertools.product(("total", "status"), Grain):
            rows = Rollup.objects.of("protocol", dimension, grain)
            if rows.exists():
                total = sum(rows.values_list("requests", flat=True))
                assert total == Producer.objects.sums()["counted"]


@contextmanager
def _full_disk():
    def refuse(fd, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_module.os, "write", refuse)
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(900)
def test_any_order_of_faults_counts_each_event_once(stream, monkeypatch):
    line = len(encode(event(route="/0123456789abcdef/1"))) + 1
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", LINES_IN_SEGMENT * line - 1)
    monkeypatch.setattr(reader, "BATCH_EVENTS", 6)
    monkeypatch.setattr(drain_module, "SETTLED_SECONDS", -1.0)
    Protocol.stream_url = stream.url
    run_state_machine_as_test(
        Protocol,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
