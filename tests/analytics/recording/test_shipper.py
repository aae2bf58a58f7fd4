"""The shipper: its thread, adoption, pause and tidiness. The protocol of sending is
tested by ``test_protocol.py``."""

import os
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from analytics.models import Producer
from analytics.recording import folder
from analytics.recording import shipper as shipper_module
from analytics.recording.event import encode
from analytics.recording.journal import Journal, OrphanJournal
from analytics.recording.shipper import ADOPTED_LIMIT, Shipment, Shipper
from analytics.rollup.drain import Drain
from analytics.stream import ProducerInfo, Stream, moment
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


@pytest.mark.django_db
def test_who_speaks_for_a_dead_process_says_when_it_was_alive(tmp_path, stream, make):
    directory = left_by_a_dead_process(tmp_path, 5)
    (segment,) = directory.glob("*.jsonl")
    died = time.time() - 3_600
    for file in (segment, directory / "lock"):
        os.utime(file, (died, died))
    make().sweep()
    Drain(stream).run()
    line = Producer.objects.get(producer=directory.name)
    assert line.alive == moment(died)
    assert line.seen > line.alive + timedelta(minutes=59)


@pytest.mark.django_db
def test_it_knows_what_the_process_said_itself_and_what_an_adopter_did(
    tmp_path, stream, make
):
    """An idle one writes nothing to its journal, and yet says that it lives."""
    directory = left_by_a_dead_process(tmp_path, 5)
    died = round(time.time() - 1_800, 3)
    for file in directory.iterdir():
        os.utime(file, (died - 1_800, died - 1_800))
    word = ProducerInfo(5, host="h", pid=1, started=died - 3_600, seen=died)
    stream.exchange(None, directory.name, word, b"")
    for _ in range(2):
        shipper = make()
        shipper.sweep()
        shipper.release()
        Drain(stream).run()
        assert stream.info(directory.name).seen > died + 1_000
        line = Producer.objects.get(producer=directory.name)
        assert line.alive == moment(died)


@pytest.mark.django_db
def test_one_that_speaks_for_itself_is_alive(tmp_path, stream, make):
    journal = Journal(tmp_path)
    record(journal)
    make(journal).tick()
    Drain(stream).run()
    line = Producer.objects.get(producer=journal.producer)
    assert line.alive == line.seen
    assert datetime.now(UTC) - line.alive < timedelta(minutes=1)


def test_two_shippers_do_not_adopt_the_same(tmp_path, stream, make):
    left_by_a_dead_process(tmp_path, 5)
    first, second = make(), make()
    assert first.sweep() == (1, 0)
    assert second.sweep() == (0, 0)
    assert [entry.count for entry in stream.read(10) if entry.count] == [5]


MANY = ADOPTED_LIMIT + 4


def shipped(stream):
    """How many events are in the stream."""
    return sum(entry.count for entry in stream.read(1_000))


@pytest.mark.django_db
def test_more_dead_processes_than_one_may_hold(tmp_path, stream, make):
    directories = [left_by_a_dead_process(tmp_path, 2) for _ in range(MANY)]
    shipper = make()
    for _ in range(2):
        assert shipper.sweep() == (MANY, 0)
        assert len(shipper._adopted) == ADOPTED_LIMIT
        assert shipped(stream) == 2 * MANY, "nothing is sent again"
    Drain(stream).run()
    shipper.sweep()
    assert not any(directory.exists() for directory in directories)
    assert shipper._let_go == {}
    assert Producer.objects.filter(closed=True, counted=2, recorded=2).count() == MANY


@pytest.mark.django_db
def test_a_sweep_says_what_waits_above_the_limit(tmp_path, stream, make):
    for _ in range(MANY):
        left_by_a_dead_process(tmp_path, 2)
    shipper = make(max_batches=10)
    sent, unsent = 0, 1
    while unsent:
        _journals, unsent = shipper.sweep()
        assert shipped(stream), "each round sends some"
        sent += shipped(stream)
        assert unsent == 2 * MANY - sent
        Drain(stream).run()
    while list(tmp_path.iterdir()):
        shipper.sweep()
        Drain(stream).run()
    assert Producer.objects.filter(closed=True, counted=2, recorded=2).count() == MANY


def test_a_shipper_of_a_web_process_holds_only_so_many(tmp_path, stream, make):
    for _ in range(MANY):
        left_by_a_dead_process(tmp_path, 1)
    journal = Journal(tmp_path)
    record(journal)
    shipper = make(journal)
    shipper.tick()
    assert len(shipper._adopted) == ADOPTED_LIMIT
    assert stream.read(1)[0].producer == journal.producer, "the own journal is first"
    shipper._next_adoption = 0.0
    shipper.tick()
    assert len(shipper._adopted) == ADOPTED_LIMIT


def test_a_long_orphan_does_not_keep_the_own_journal_waiting(
    tmp_path, stream, make, monkeypatch
):
    monkeypatch.setattr(shipper_module, "TICK_BATCHES", 2)
    orphan = Journal(tmp_path)
    for _ in range(5):
        record(orphan)
        # A hole ends a batch.
        orphan.append(None)
    orphan.abandon()
    journal = Journal(tmp_path)
    shipper = make(journal)
    shipper.tick()
    record(journal)
    shipper.tick()
    producers = [entry.producer for entry in stream.read(20)]
    assert producers == [orphan.producer] * 2 + [journal.producer] + producers[:2]
    for _ in range(3):
        shipper.tick()
    assert shipped(stream) == 6


def test_an_orphan_that_waits_to_be_counted_is_not_asked_for_each_time(
    tmp_path, stream, make
):
    left_by_a_dead_process(tmp_path, 1)
    shipper = make()
    shipper.tick()
    (shipment,) = shipper._adopted.values()
    assert shipment.closed
    assert not shipment.is_due(time.monotonic())
    assert shipment.is_due(time.monotonic() + shipper_module.POLL_SECONDS)


def test_the_journal_of_another_site_is_not_adopted(tmp_path, stream, make):
    journal = Journal(tmp_path, site="other")
    record(journal)
    journal.abandon()
    assert make().sweep() == (0, 0)
    assert make(to=Stream(stream.url, "other", b"key")).sweep() == (1, 0)


@pytest.mark.parametrize("way", [Shipper.tick, Shipper.sweep])
def test_adopters_delete_what_was_half_made(tmp_path, stream, make, monkeypatch, way):
    monkeypatch.setattr(folder, "LEFT_SECONDS", -1.0)
    hidden = tmp_path / ".0123456789abcdef.01234567"
    hidden.mkdir()
    way(make())
    assert not hidden.exists()


def test_a_paused_adopter_does_not_say_that_this_was_all(tmp_path, stream, make):
    orphan = Journal(tmp_path)
    record(orphan, 3)
    orphan.append(None)
    record(orphan, 2)
    orphan.abandon()
    shipper = make(max_batches=1)
    for _ in range(2):
        assert shipper.sweep() == (1, 3)
        assert not stream.info(orphan.producer).closed


@pytest.mark.django_db
def test_a_rewind_is_followed_in_the_same_round(tmp_path, stream):
    journal = Journal(tmp_path)
    shipment = Shipment(journal, stream, 1_000)
    record(journal, 5)
    while shipment.step():
        pass
    stream.publish({}, {journal.producer: 2}, ())
    assert shipment.step()
    while shipment.step():
        pass
    assert [(entry.offset, entry.end) for entry in stream.read(10)] == [(0, 5), (2, 5)]
    journal.close()


@pytest.mark.django_db
def test_what_is_recorded_after_the_end_is_counted(tmp_path, stream, make):
    """A daemon thread may still answer while the process ends."""
    journal = Journal(tmp_path)
    shipper = make(journal)
    shipper.start()
    record(journal, 2)
    shipper.stop()
    assert stream.info(journal.producer).closed
    record(journal, 3)
    assert OrphanJournal.adopt(journal.directory) is None, "the process still lives"
    journal.abandon()
    adopter = make()
    adopter.sweep()
    Drain(stream).run()
    adopter.sweep()
    line = Producer.objects.get(producer=journal.producer)
    assert (line.recorded, line.counted, line.lost, line.closed) == (5, 5, 0, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_a_process_whose_events_are_counted_leaves_nothing(tmp_path, stream, make):
    journal = Journal(tmp_path)
    shipper = make(journal)
    record(journal, 2)
    shipper.tick()
    Drain(stream).run()
    shipper.start()
    shipper.stop()
    assert stream.info(journal.producer).closed
    assert list(tmp_path.iterdir()) == []


def test_what_fails_is_logged_from_the_thread_and_not_again_at_once(
    tmp_path, make, caplog
):
    away = Stream("redis://127.0.0.1:1/0", "test", b"key")
    shipper = make(Journal(tmp_path), to=away)
    shipper.counters["event: TypeError"] = 3
    record(shipper.journal)
    shipper.start()
    wait_until(lambda: shipper.counters["ship: ConnectionError"] > 2)
    shipper.stop(timeout=0)
    said = [
        (entry.name, entry.levelname, entry.threadName, entry.getMessage())
        for entry in caplog.records
    ]
    where = ("analytics", "WARNING", "analytics-shipper")
    assert said == [
        (*where, "event: TypeError (3 times)"),
        (*where, "ship: ConnectionError (1 times)"),
    ]


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


def test_a_full_folder_is_noticed_while_redis_is_away(tmp_path, make):
    away = Stream("redis://127.0.0.1:1/0", "test", b"key")
    journal = Journal(tmp_path)
    shipper = make(journal, to=away, max_bytes=len(LINE))
    record(journal)
    shipper._guarded(shipper.tick)
    assert shipper.counters["ship: ConnectionError"] == 1
    assert journal.full


def test_a_torn_line_at_the_end_does_not_keep_the_shipper_busy(tmp_path, stream):
    journal = Journal(tmp_path)
    shipment = Shipment(journal, stream, 1_000)
    record(journal)
    journal.append(b"torn\n")
    assert shipment.step()
    assert not shipment.step()
    journal.close()


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
