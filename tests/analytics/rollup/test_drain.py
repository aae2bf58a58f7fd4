"""The drain under strain: its bounds, and what must not keep it from counting."""

import time
from datetime import UTC, datetime

import pytest

from analytics.models import DeadLetter, Producer, Rollup, Writer
from analytics.recording.journal import Journal
from analytics.recording.reader import Batch
from analytics.recording.shipper import Shipper
from analytics.rollup import drain as drain_module
from analytics.rollup import keys as keys_module
from analytics.rollup import plan as plan_module
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import BUILT_IN, Dimension
from analytics.rollup.drain import Drain
from analytics.rollup.plan import Plan
from analytics.stream import Entry, ProducerInfo, moment
from tests.analytics.recording.events import event, event_with, line

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _site(site):
    """Every test's drain is of the site ``test``."""


def send(stream, producer, *lines, offset=0, **said):
    now = time.time()
    word = {"host": "web", "pid": 1, "started": now, "seen": now} | said
    batch = Batch(producer, offset, offset, lines)
    stream.exchange(batch, producer, ProducerInfo(batch.end, **word), b"")


def some(count):
    return tuple(line()[:-1] for _ in range(count))


def counted(producer):
    return Producer.objects.get(producer=producer).counted


def test_a_redis_that_takes_nothing_more_is_emptied(stream, tmp_path):
    """The orphan on this machine cannot be shipped; what waits is counted anyway."""
    for number in range(20):
        send(stream, f"web{number}", *some(50))
    journal = Journal(tmp_path)
    for _ in range(10):
        journal.append(line())
    journal.abandon()
    shipper = Shipper(stream, tmp_path, max_bytes=10**9, max_batches=100)
    stream.client.config_set("maxmemory", 1)
    try:
        with pytest.raises(Exception, match="maxmemory"):
            shipper.sweep()
        Drain(stream).run()
    finally:
        stream.client.config_set("maxmemory", 0)
        shipper.release()
    assert stream.backlog() == 0
    assert Producer.objects.sums()["counted"] == 1_000


def test_times_that_are_none_do_not_stop_it(stream):
    send(stream, "old", *some(2), started=0.0, seen=1e300)
    send(stream, "new", *some(3))
    Drain(stream).run()
    assert (counted("old"), counted("new")) == (2, 3)
    assert Producer.objects.get(producer="old").started is None


def test_an_idle_process_is_known_to_live(stream):
    now = round(time.time(), 3)
    send(stream, "web", *some(1), started=now - 7_200, seen=now - 3_600)
    Drain(stream).run()
    assert Producer.objects.get().alive == moment(now - 3_600)
    word = ProducerInfo(1, host="web", pid=1, started=now - 7_200, seen=now)
    stream.exchange(None, "web", word, b"")
    Drain(stream).run()
    line = Producer.objects.get()
    assert (line.started, line.alive) == (moment(now - 7_200), moment(now))


def test_dead_letters_of_one_transaction_are_few(stream, monkeypatch):
    monkeypatch.setattr(plan_module, "LETTERS_LIMIT", 5)
    bad = tuple(event_with(status=99) for _ in range(40))
    send(stream, "bad", *bad, *some(3))
    tally = Drain(stream).run()
    assert (tally.rejected, tally.dead) == (40, 40)
    assert DeadLetter.objects.count() == 5
    found = Producer.objects.get(producer="bad")
    assert (found.rejected, found.counted) == (40, 3)


def test_a_clock_of_ours_that_is_behind_rejects_nothing(stream):
    """Redis' clock, in the entry's id, says that the event is not of the future."""
    behind = datetime(2020, 1, 1, tzinfo=UTC)
    lines = some(2)
    fields = stream.pack(Batch("web", 0, 0, lines))
    entry = stream.unpack(f"{int(time.time() * 1000)}-0".encode(), fields)
    assert isinstance(entry, Entry)
    plan = Plan(site="test", now=behind, lines={}, unreadable=lambda entry: 0)
    plan.take([entry])
    assert (plan.tally.events, plan.tally.rejected) == (2, 0)


def test_only_the_lines_concerned_are_written(stream, monkeypatch):
    """Ended processes stay known for an hour; a busy site has thousands of them."""
    written = []
    save = drain_module.store.save_lines

    def spy(lines):
        lines = list(lines)
        written.append({each.producer for each in lines})
        save(lines)

    for number in range(30):
        send(stream, f"web{number}", *some(1))
    drain = Drain(stream)
    drain.run()
    monkeypatch.setattr(drain_module.store, "save_lines", spy)
    send(stream, "web7", *some(1), offset=1)
    drain.run()
    assert set.union(*written) == {"web7"}


def test_what_is_heard_is_written_in_pieces(stream, monkeypatch):
    monkeypatch.setattr(drain_module, "LINES_LIMIT", 4)
    now = time.time()
    for number in range(10):
        info = ProducerInfo(0, "web", number, now, now)
        stream.exchange(None, f"web{number}", info, b"")
    drain = Drain(stream)
    drain.run()
    assert Producer.objects.count() == 10
    assert len(drain.lock_seconds) == 3


def broken(event):
    raise ZeroDivisionError


@pytest.mark.parametrize("key", [broken, lambda event: 7, lambda event: object()])
def test_an_apps_broken_dimension_does_not_stop_the_others(
    stream, monkeypatch, caplog, key
):
    dimensions = (*BUILT_IN, Dimension(name="broken", label="Broken", key=key))
    monkeypatch.setattr(drain_module, "dimensions_of", lambda site: dimensions)
    send(stream, "web", *some(3))
    Drain(stream).run()
    total = Rollup.objects.of("test", "total", Grain.DAY).get()
    assert total.requests == counted("web") == 3
    assert not Rollup.objects.filter(dimension="broken").exists()
    assert "key of dimension 'broken'" in caplog.text


def test_a_dimension_that_breaks_for_one_event_counts_the_others():
    def key(event):
        return event.route if event.bytes else 1 / event.bytes

    dimension = Dimension(name="some", label="Some", key=key)
    assert keys_module._key_or_none(event(bytes=0), dimension) is None
    assert keys_module._found([event(bytes=0), event()], dimension) == [None, "/ok/"]


def test_when_others_write_all_the_time_the_lock_is_taken_first(stream, monkeypatch):
    claim = type(Writer.objects).claim
    claims = []

    def lose(self, site, generation):
        claims.append(generation)
        Writer.objects.lock(site)
        return claim(self, site, generation)

    monkeypatch.setattr(type(Writer.objects), "claim", lose)
    send(stream, "web", *some(3))
    drain = Drain(stream)
    drain._heard = time.monotonic()
    drain.run()
    assert len(claims) == drain_module.OPTIMISTIC_TRIES
    assert counted("web") == 3


def test_transactions_become_smaller_when_they_hold_the_lock_long(stream, monkeypatch):
    monkeypatch.setattr(drain_module, "LOCK_SECONDS", -1.0)
    send(stream, "web", *some(3))
    drain = Drain(stream)
    drain.run()
    assert drain._read() == []
    assert len(drain.lock_seconds) == 2
    assert drain._pace.limit == drain_module.EVENTS_LIMIT // 4
