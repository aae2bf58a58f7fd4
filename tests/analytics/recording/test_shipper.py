"""The shipper: its thread, adoption, pause and tidiness. The protocol of sending is
tested by ``test_protocol.py``."""

import time
from collections import Counter

import pytest

from analytics.models import Producer
from analytics.recording import shipper as shipper_module
from analytics.recording.event import encode
from analytics.recording.journal import Journal
from analytics.recording.shipper import Shipper
from analytics.rollup.drain import Drain
from analytics.stream import Stream
from tests.analytics.recording.events import event

LINE = encode(event()) + b"\n"


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def make(tmp_path, stream):
    """Makes a shipper on the test's journal folder; ended with the test."""
    made = []

    def make(journal=None, to=stream, max_batches=1_000, max_bytes=10**9):
        shipper = Shipper(
            to,
            tmp_path,
            journal=journal,
            max_bytes=max_bytes,
            max_batches=max_batches,
            counters=Counter(),
        )
        made.append(shipper)
        return shipper

    yield make
    for shipper in made:
        shipper.stop(timeout=0)
        shipper.release()


def record(journal, count=1):
    for _ in range(count):
        journal.append(LINE)


def left_by_a_dead_process(root, count):
    journal = Journal(root)
    record(journal, count)
    directory = journal.directory
    journal.abandon()
    return directory


def test_thread_ships_what_is_recorded(tmp_path, stream, make):
    journal = Journal(tmp_path)
    shipper = make(journal)
    shipper.start()
    record(journal, 3)
    wait_until(lambda: sum(entry.count for entry in stream.read(10)) == 3)
    record(journal, 2)
    wait_until(lambda: sum(entry.count for entry in stream.read(10)) == 5)


def test_one_round_ships_what_was_there_and_leaves_the_rest_together(
    tmp_path, stream, make
):
    """Under load each look sends one batch, not one for each request meanwhile."""
    journal = Journal(tmp_path)
    shipper = make(journal)
    record(journal, 10)

    class Busy(Stream):
        def exchange(self, *args):
            record(journal)
            return super().exchange(*args)

    shipper._own._stream = Busy(stream.url, stream.site, b"key")
    shipper.tick()
    assert [entry.count for entry in stream.read(10)] == [10]


@pytest.mark.django_db
def test_stop_ships_the_rest_and_says_that_this_was_all(tmp_path, stream, make):
    journal = Journal(tmp_path)
    shipper = make(journal)
    shipper.start()
    record(journal, 4)
    shipper.stop()
    Drain(stream).run()
    line = Producer.objects.get(producer=journal.producer)
    assert (line.recorded, line.counted, line.closed) == (4, 4, True)


def test_stop_gives_up_in_time_when_redis_is_away(tmp_path, make):
    away = Stream("redis://127.0.0.1:1/0", "test", b"key")
    journal = Journal(tmp_path)
    shipper = make(journal, to=away)
    shipper.start()
    record(journal, 4)
    directory = journal.directory
    started = time.monotonic()
    shipper.stop()
    assert time.monotonic() - started < shipper_module.EXIT_SECONDS + 1
    assert directory.exists()


def test_failures_are_counted_and_do_not_end_the_thread(tmp_path, stream, make):
    away = Stream("redis://127.0.0.1:1/0", "test", b"key")
    journal = Journal(tmp_path)
    shipper = make(journal, to=away)
    shipper.start()
    record(journal, 4)
    wait_until(lambda: shipper.counters["ship: ConnectionError"])
    shipper._own._stream = shipper.stream = stream
    wait_until(lambda: sum(entry.count for entry in stream.read(10)) == 4)


@pytest.mark.django_db
def test_dead_processes_are_adopted_and_buried_once_counted(tmp_path, stream, make):
    directory = left_by_a_dead_process(tmp_path, 5)
    shipper = make()
    assert shipper.sweep() == (1, 0)
    assert directory.exists()
    Drain(stream).run()
    shipper.sweep()
    assert not directory.exists()
    line = Producer.objects.get(producer=directory.name)
    assert (line.recorded, line.counted, line.closed) == (5, 5, True)


def test_two_shippers_do_not_adopt_the_same(tmp_path, stream, make):
    left_by_a_dead_process(tmp_path, 5)
    first, second = make(), make()
    assert first.sweep() == (1, 0)
    assert second.sweep() == (0, 0)
    assert [entry.count for entry in stream.read(10) if entry.count] == [5]


@pytest.mark.django_db
def test_what_a_dead_process_said_it_recorded_but_does_not_hold_is_lost(
    tmp_path, stream, make
):
    journal = Journal(tmp_path)
    shipper = make(journal)
    record(journal, 2)
    shipper.tick()
    journal.append(None)
    shipper._own._next_exchange = 0.0
    info = shipper._own._info(None, False)
    assert info.recorded == 3
    stream.exchange(None, journal.producer, info, b"")
    journal.abandon()
    make().sweep()
    Drain(stream).run()
    line = Producer.objects.get(producer=journal.producer)
    assert (line.counted, line.lost, line.waiting) == (2, 1, 0)


def test_a_full_stream_pauses_shipping(tmp_path, stream, make):
    journal = Journal(tmp_path)
    shipper = make(journal, max_batches=2)
    for _ in range(5):
        record(journal)
        shipper.tick()
    assert stream.backlog() == 2
    assert journal.next_offset == 5


def test_a_full_folder_stops_recording_and_an_emptier_one_resumes(
    tmp_path, stream, make
):
    journal = Journal(tmp_path)
    shipper = make(journal, max_bytes=len(LINE))
    record(journal)
    shipper.tick()
    record(journal)
    assert journal.snapshot().segments == (0,)
    assert (journal.full, journal.next_offset) == (True, 2)
    shipper._max_bytes = 10**9
    shipper._next_adoption = 0.0
    shipper.tick()
    record(journal)
    assert journal.snapshot().segments == (0, 2)


@pytest.mark.django_db
def test_nothing_stays_on_disk_of_a_quiet_process(tmp_path, stream, make, monkeypatch):
    """What tells visitors apart lies in the journal only until it is counted."""
    monkeypatch.setattr(shipper_module, "ROLL_SECONDS", -1.0)
    monkeypatch.setattr(shipper_module, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(shipper_module, "HEARTBEAT_SECONDS", 0.0)
    journal = Journal(tmp_path)
    shipper = make(journal)
    record(journal, 3)
    shipper.tick()
    Drain(stream).run()
    shipper.tick()
    shipper.tick()
    assert [path.name for path in journal.directory.iterdir()] == ["lock"]
    record(journal, 2)
    shipper.tick()
    Drain(stream).run()
    assert Producer.objects.get().counted == 5
