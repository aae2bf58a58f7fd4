"""Poison in the stream ends as dead letters; what is true is counted all the same."""

import datetime
import random
import time
import zlib

import pytest

from analytics.models import DeadLetter, Producer, Rollup
from analytics.recording.event import encode
from analytics.recording.reader import BATCH_EVENTS, Batch
from analytics.rollup.buckets import Grain
from analytics.rollup.drain import Drain
from analytics.rollup.plan import UNREADABLE_LIMIT, Plan, Tally
from analytics.stream import HEADER, Entry, ProducerInfo, Stream
from tests.analytics.recording.events import event, event_with, line

pytestmark = pytest.mark.django_db

TRUE = "0123456789abcdef"
"""A producer whose events are true."""


@pytest.fixture(autouse=True)
def _site(settings, tmp_path):
    settings.ANALYTICS_SITE = "test"
    settings.ANALYTICS_JOURNAL_DIR = str(tmp_path)


@pytest.fixture
def drain(stream):
    return Drain(stream)


def now_lines(count: int) -> tuple[bytes, ...]:
    return tuple(line()[:-1] for _ in range(count))


def send(stream, offset, count, *, follows=None, producer=TRUE) -> None:
    """True events, sent by a shipper."""
    batch = Batch(producer, offset, follows or offset, now_lines(count))
    ship(stream, batch)


def ship(stream, batch) -> None:
    now = time.time()
    info = ProducerInfo(batch.end, "web", 1, now, now)
    stream.exchange(batch, batch.producer, info, b"")


def put(stream, fields) -> None:
    stream.client.xadd(stream.events, fields)


def header(offset, count, follows=0, producer=TRUE, site="test", version=b"1"):
    numbers = (str(n).encode() for n in (offset, count, follows))
    values = (version, site.encode(), producer.encode(), *numbers)
    return dict(zip(HEADER, values, strict=True))


def put_sealed(stream, body, *, offset=0, count=1, follows=0, producer="broken"):
    """What only somebody with the key can put: a broken recorder of our own."""
    fields = header(offset, count, follows, producer)
    seal = stream._seal(*fields.values(), body)
    put(stream, {**fields, b"events": body, b"seal": seal})


def put_lines(stream, *lines, producer="broken", offset=0) -> None:
    body = zlib.compress(b"\n".join(lines))
    put_sealed(stream, body, offset=offset, count=len(lines), producer=producer)


def ledger(producer=TRUE) -> tuple[int, int, int, int]:
    """recorded, counted, lost, rejected; the rest follows from them."""
    line = Producer.objects.get(producer=producer)
    assert line.expected == line.counted + line.lost + line.rejected
    return line.recorded, line.counted, line.lost, line.rejected


def total() -> int:
    rows = Rollup.objects.of("test", "total", Grain.DAY)
    return sum(rows.values_list("requests", flat=True))


def letters() -> list[tuple[str, str]]:
    return list(DeadLetter.objects.order_by("pk").values_list("kind", "reason"))


def assert_everything_true_is_counted(stream, drain, count=5) -> None:
    """Events of a producer, sent from its first offset on, all count."""
    before = total()
    send(stream, 0, count)
    drain.run()
    assert ledger() == (count, count, 0, 0)
    assert total() - before == count
    assert stream.backlog() == 0


# Entries that nobody with the key has made.

FORGED_SEAL = b"\0" * 8
BODY = zlib.compress(now_lines(1)[0])
FORGERIES = {
    "no fields of ours": {b"x": b"y"},
    "empty values": dict.fromkeys((*HEADER, b"events", b"seal"), b""),
    "no seal": {**header(0, 1), b"events": BODY},
    "a false seal": {**header(0, 1), b"events": BODY, b"seal": FORGED_SEAL},
    "a huge offset": {
        **header(2**53 - 1, 1, 0),
        b"events": BODY,
        b"seal": FORGED_SEAL,
    },
    "beyond integers": {**header(2**80, 1), b"events": BODY, b"seal": FORGED_SEAL},
    "a huge count": {**header(0, 10**9), b"events": BODY, b"seal": FORGED_SEAL},
    "nothing, at a huge offset": {
        **header(10**15, 0),
        b"events": b"",
        b"seal": FORGED_SEAL,
    },
    "negative": {**header(-5, -1), b"events": BODY, b"seal": FORGED_SEAL},
    "wrong types": {
        **header("x", "y", "z"),
        b"events": b"\xff\0",
        b"seal": b"\xff" * 5000,
    },
    "no number at all": {
        **header("9" * 100_000, 1),
        b"events": BODY,
        b"seal": FORGED_SEAL,
    },
    "unknown version": {**header(0, 1, version=b"9"), b"events": BODY, b"seal": b""},
    "another site": {**header(0, 1, site="shop"), b"events": BODY, b"seal": b""},
    "a name with NUL": {
        **header(0, 1, producer="a\0b" * 99),
        b"events": BODY,
        b"seal": b"",
    },
    "a name in another script": {
        **header(0, 1, producer="生産者"),
        b"events": BODY,
        b"seal": b"",
    },
    "a name of a line": {
        **header(0, 1, producer=Producer.FOLDED),
        b"events": BODY,
        b"seal": b"",
    },
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_a_dead_letter_and_hides_nothing(stream, drain, name):
    put(stream, FORGERIES[name])
    drain.run()
    ((kind, reason),) = letters()
    assert kind == DeadLetter.Kind.HEADER
    assert reason
    assert total() == 0
    assert_everything_true_is_counted(stream, drain)


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_among_true_batches(stream, drain, name):
    send(stream, 0, 3)
    put(stream, FORGERIES[name])
    send(stream, 3, 4)
    drain.run()
    assert ledger() == (7, 7, 0, 0)
    assert total() == 7
    assert len(letters()) == 1
    assert stream.backlog() == 0


def test_all_forgeries_at_once_and_in_any_order(stream, drain):
    names = list(FORGERIES)
    random.shuffle(names)
    for number, name in enumerate(names):
        put(stream, FORGERIES[name])
        send(stream, number, 1)
    drain.run()
    assert ledger() == (len(names), len(names), 0, 0)
    assert len(letters()) == len(names)


def test_a_forgery_in_the_name_of_a_producer_makes_it_send_again(stream, drain):
    send(stream, 0, 3)
    drain.run()
    put(stream, {**FORGERIES["a huge offset"], b"producer": TRUE.encode()})
    drain.run()
    info = ProducerInfo(3, "web", 1, 1.0, 1.0)
    reply = stream.exchange(None, TRUE, info, b"")
    assert (reply.expected, reply.rewind) == (3, 3)
    assert ledger() == (3, 3, 0, 0)


def test_a_replayed_batch_counts_once(stream, drain):
    send(stream, 0, 3)
    ((_, fields),) = stream.client.xrange(stream.events)
    drain.run()
    for _ in range(3):
        put(stream, fields)
    drain.run()
    assert (total(), letters()) == (3, [])
    assert ledger() == (3, 3, 0, 0)


def test_a_batch_of_another_key_is_refused(stream, drain):
    other = Stream(stream.url, "test", b"another key")
    send(other, 0, 3, producer="stranger")
    other.close()
    drain.run()
    assert total() == 0
    assert not Producer.objects.filter(producer="stranger").exists()
    assert_everything_true_is_counted(stream, drain)


def test_the_content_of_a_letter_is_bounded(stream, drain):
    put(stream, {b"x" * 100_000: b"y" * 1_000_000})
    drain.run()
    assert len(DeadLetter.objects.get().content) <= 4096


@pytest.mark.parametrize("hash_name", ["expected", "rewinds", "producers"])
@pytest.mark.parametrize("value", [b"", b"999999", b"{}", b"\xff\0", b"9" * 5000])
def test_forged_words_in_the_hashes_change_nothing(stream, drain, hash_name, value):
    for name in (TRUE, "stranger", b"\xff\0"):
        stream.client.hset(f"analytics:test:{hash_name}", name, value)
    drain.run()
    assert not Producer.objects.exists()
    assert_everything_true_is_counted(stream, drain)


def test_words_replayed_for_another_producer_change_nothing(stream, drain):
    send(stream, 0, 9, producer="other")
    drain.run()
    for name in ("expected", "producers"):
        key = f"analytics:test:{name}"
        stream.client.hset(key, TRUE, stream.client.hget(key, "other"))
    drain.run()
    assert not Producer.objects.filter(producer=TRUE).exists()
    assert_everything_true_is_counted(stream, drain)


# Batches of a recorder that has the key, and is broken.

BROKEN_BODIES = {
    "rubbish": (b"rubbish", "not zlib"),
    "empty": (b"", "cut short"),
    "cut": (zlib.compress(b"\n".join(now_lines(2)))[:-4], "cut short"),
    "trailing": (zlib.compress(b"\n".join(now_lines(2))) + b"x", "behind its end"),
    "bomb": (zlib.compress(bytes(50_000_000)), "inflates to more"),
    "too few": (zlib.compress(now_lines(1)[0]), "header says 2 events, body has 1"),
    "too many": (zlib.compress(b"\n".join(now_lines(3))), "body has 3"),
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_a_body_unreadable_three_times_is_rejected(stream, drain, name):
    body, reason = BROKEN_BODIES[name]
    for attempt in range(1, UNREADABLE_LIMIT):
        put_sealed(stream, body, count=2)
        drain.run()
        assert ledger("broken") == (2, 0, 0, 0)
        assert stream.exchange(None, "broken", info_of(2), b"").rewind == 0
        assert len(letters()) == attempt
    put_sealed(stream, body, count=2)
    drain.run()
    assert ledger("broken") == (2, 0, 0, 2)
    assert stream.expected("broken") == 2
    assert stream.exchange(None, "broken", info_of(2), b"").rewind is None
    assert all(kind == "body" and reason in why for kind, why in letters())
    put_lines(stream, *now_lines(3), offset=2)
    drain.run()
    assert ledger("broken") == (5, 3, 0, 2)
    assert_everything_true_is_counted(stream, drain)


def info_of(recorded: int) -> ProducerInfo:
    return ProducerInfo(recorded, "web", 1, 1.0, time.time())


def test_a_body_that_is_readable_the_second_time_is_counted(stream, drain):
    put_sealed(stream, b"rubbish", count=2)
    drain.run()
    put_lines(stream, *now_lines(2))
    drain.run()
    assert ledger("broken") == (2, 2, 0, 0)


def test_what_follows_an_unreadable_body_waits_for_it(stream, drain):
    put_sealed(stream, b"rubbish", count=2, producer=TRUE)
    send(stream, 2, 3)
    drain.run()
    assert ledger() == (5, 0, 0, 0)
    assert stream.exchange(None, TRUE, info_of(5), b"").rewind == 0
    send(stream, 0, 5)
    drain.run()
    assert ledger() == (5, 5, 0, 0)


def test_unreadable_again_and_again_in_one_run_is_one_attempt_each(stream, drain):
    for _ in range(UNREADABLE_LIMIT):
        put_sealed(stream, b"rubbish", count=2)
    drain.run()
    assert ledger("broken") == (2, 0, 0, 0)
    assert stream.exchange(None, "broken", info_of(2), b"").rewind == 0
    put_sealed(stream, b"rubbish", count=2)
    drain.run()
    assert ledger("broken") == (2, 0, 0, 2)


def in_years(years: int) -> int:
    return int((time.time() + years * 365 * 86_400) * 1000)


BAD_EVENTS = {
    "no JSON": b"[rubbish]",
    "not an array": b"{}",
    "too short": b"[1]",
    "empty": b"",
    "not a number": encode(event()).replace(b"1500", b"NaN"),
    "infinite": encode(event()).replace(b"1500", b"Infinity"),
    "negative time": event_with(time=-1),
    "the year 3000": event_with(time=in_years(974)),
    "in two days": event_with(time=in_years(0) + 2 * 86_400_000),
    "the year 1970": event_with(time=5),
    "the year 10^9": event_with(time=2**53),
    "time as text": event_with(time="1767225600000"),
    "status 42": event_with(status=42),
    "status as text": event_with(status="200"),
    "bytes beyond sums": event_with(bytes=2**53),
    "duration beyond sums": event_with(duration=2**41),
    "beyond 64 bits": event_with(bytes=2**70),
    "negative bytes": event_with(bytes=-1),
    "a long route": event_with(route="/" * 300),
    "kwargs as list": event_with(kwargs=[]),
    "kwargs of numbers": event_with(kwargs={"slug": 5}),
    "NUL in the route": event_with(route="/a\0b"),
    "NUL in a kwarg": event_with(kwargs={"slug": "\0"}),
    "ANSI in the agent": event_with(agent="\x1b[31m"),
    "a lone surrogate": event_with(route="\ud800"),
    "invalid UTF-8": encode(event()).replace(b"/ok/", b"/\xff/"),
    "two in one": encode(event()) + b"," + encode(event()),
    "no start of an array": encode(event())[1:],
}


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_a_bad_event_is_rejected_alone(stream, drain, name):
    first, last = now_lines(2)
    put_lines(stream, first, BAD_EVENTS[name], last)
    drain.run()
    assert ledger("broken") == (3, 2, 0, 1)
    assert total() == 2
    ((kind, reason),) = letters()
    assert kind == DeadLetter.Kind.EVENT
    assert reason
    letter = DeadLetter.objects.get()
    assert bytes(letter.content) == BAD_EVENTS[name]
    assert (letter.producer, letter.offset) == ("broken", 0)
    assert_everything_true_is_counted(stream, drain)


def test_nothing_but_bad_events(stream, drain):
    put_lines(stream, *[b"[]"] * 5)
    drain.run()
    assert ledger("broken") == (5, 0, 0, 5)
    assert total() == 0


def test_lines_that_are_events_only_together(stream, drain):
    """Joined with a comma, two halves would be one event, or two."""
    whole = line()[:-1]
    middle = whole.index(b",")
    put_lines(stream, whole[:middle], whole[middle + 1 :])
    drain.run()
    assert ledger("broken") == (2, 0, 0, 2)
    assert total() == 0


def test_text_that_looks_like_an_escape_is_counted(stream, drain):
    put_lines(stream, line(agent="\\u0000 \\ud800", route='/"\\/')[:-1])
    drain.run()
    assert ledger("broken") == (1, 1, 0, 0)
    assert letters() == []


def test_a_clock_that_is_an_hour_ahead_is_believed(stream, drain):
    ahead = int((time.time() + 3600) * 1000)
    put_lines(stream, encode(event(time=ahead)))
    drain.run()
    assert ledger("broken") == (1, 1, 0, 0)


def test_the_largest_sums_fit(stream, drain):
    largest = encode(event(time=int(time.time() * 1000), bytes=2**40, duration=2**40))
    for number in range(5):
        put_lines(stream, *[largest] * BATCH_EVENTS, offset=number * BATCH_EVENTS)
    drain.run()
    row = Rollup.objects.of("test", "total", Grain.DAY).get()
    assert row.bytes == row.duration == 5 * BATCH_EVENTS * 2**40


def test_a_mixture_of_everything_adds_up(stream, drain):
    for fields in FORGERIES.values():
        put(stream, fields)
    for number, bad in enumerate(BAD_EVENTS.values()):
        put_lines(stream, bad, now_lines(1)[0], offset=2 * number)
    for body, _ in BROKEN_BODIES.values():
        put_sealed(stream, body, count=2, producer="unreadable")
    send(stream, 0, 5)
    drain.run()
    assert ledger() == (5, 5, 0, 0)
    assert ledger("unreadable") == (2, 0, 0, 0)
    bad = len(BAD_EVENTS)
    assert ledger("broken") == (2 * bad, bad, 0, bad)
    assert total() == bad + 5
    kinds = [kind for kind, _ in letters()]
    assert kinds.count("header") == len(FORGERIES)
    assert kinds.count("event") == bad


# Entries, one by one, without a server.


def new_plan(**lines: Producer) -> Plan:
    return Plan(
        site="test",
        now=datetime.datetime.now(datetime.UTC),
        lines=lines,
        unreadable=lambda entry: 0,
    )


def an_entry(offset, count, follows=None) -> Entry:
    body = zlib.compress(b"\n".join(now_lines(count)))
    return Entry(
        b"1-0", "p", offset, count, offset if follows is None else follows, body
    )


@pytest.mark.parametrize(
    ("entries", "counted", "lost", "rewind"),
    [
        ([an_entry(0, 3)], 3, 0, None),
        ([an_entry(0, 3), an_entry(0, 3)], 3, 0, None),
        ([an_entry(0, 3), an_entry(1, 3)], 4, 0, None),
        ([an_entry(0, 3), an_entry(3, 2)], 5, 0, None),
        ([an_entry(3, 2)], 0, 0, 0),
        ([an_entry(3, 2), an_entry(0, 3)], 3, 0, None),
        ([an_entry(0, 3), an_entry(5, 2, follows=3)], 5, 2, None),
        ([an_entry(0, 3), an_entry(5, 2, follows=4)], 3, 0, 3),
        ([an_entry(5, 2, follows=0)], 2, 5, None),
        ([an_entry(5, 0, follows=0)], 0, 5, None),
        ([an_entry(0, 3), an_entry(3, 0)], 3, 0, None),
        ([an_entry(0, 3), an_entry(2, 0, follows=0)], 3, 0, None),
    ],
)
def test_the_rules_of_the_protocol(entries, counted, lost, rewind):
    plan = new_plan()
    plan.take(entries)
    line = plan.lines["p"]
    assert (line.counted, line.lost) == (counted, lost)
    assert len(plan.events) == counted
    assert plan.rewinds.get("p") == rewind


def test_no_events_no_sentence():
    assert str(Tally()) == ""
    assert str(Tally(events=12_430, batches=3)) == "12\u202f430 events in 3 batches"
