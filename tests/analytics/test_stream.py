"""What is sealed is believed, what is not is refused, and nothing grows unbounded."""

import tracemalloc
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.recording.reader import BATCH_BYTES, BATCH_EVENTS, Batch
from analytics.stream import (
    OFFSET_LIMIT,
    BadEntry,
    Entry,
    Malformed,
    ProducerInfo,
    Stream,
    StreamError,
    deflate,
    inflate,
)

INFO = ProducerInfo(recorded=3, host="web", pid=7, started=1.5, seen=2.5)
NOWHERE = "unix:///nowhere.sock"
LINES = (b"[1]", b"[2]", b"[3]")


def a_batch(offset=0, lines=LINES, producer="abc", follows=None) -> Batch:
    return Batch(producer, offset, offset if follows is None else follows, lines)


def offline(site="test", key=b"key") -> Stream:
    """Packs and unpacks without a server."""
    return Stream(NOWHERE, site, key)


def packed(**changes: bytes) -> dict[bytes, bytes]:
    """A batch's fields with some changed, and sealed again as if by us."""
    stream = offline()
    fields = stream.pack(a_batch())
    fields |= {name.encode(): value for name, value in changes.items()}
    if "seal" not in changes:
        parts = [fields[name] for name in list(fields)[:7]]
        fields[b"seal"] = stream._seal(*parts)
    return fields


def with_dictionary(dictionary: bytes) -> bytes:
    packer = zlib.compressobj(zdict=dictionary)
    return packer.compress(b"[1]\n[2]\n[3]") + packer.flush()


def sent(stream, batch, oldest=b""):
    return stream.exchange(batch, "abc", INFO, oldest)


# Packing.


@given(
    st.lists(st.binary(min_size=1, max_size=30).filter(lambda b: b"\n" not in b)),
    st.integers(0, 2**52),
    st.integers(0, 2**52),
)
def test_what_is_packed_is_unpacked(lines, offset, behind):
    stream = offline()
    batch = a_batch(offset, tuple(lines), follows=max(offset - behind, 0))
    entry = stream.unpack(b"1-0", stream.pack(batch))
    assert (entry.offset, entry.end) == (offset, batch.end)
    assert (entry.follows, entry.producer) == (batch.follows, "abc")
    assert tuple(entry.lines()) == batch.lines


def test_a_batch_through_the_server(stream):
    reply = sent(stream, a_batch())
    (entry,) = stream.read(10)
    assert isinstance(entry, Entry)
    assert entry.id == reply.entry_id
    assert tuple(entry.lines()) == LINES
    assert stream.read(10, after=entry.id) == []


# Headers.


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"v": b"2"}, "unknown version of the entry"),
        ({"v": b""}, "unknown version of the entry"),
        ({"site": b"other"}, "entry of another site"),
        ({"seal": b""}, "seal does not fit: another key, or not ours"),
        ({"seal": b"x" * 8}, "seal does not fit: another key, or not ours"),
        ({"offset": b"-1"}, "not a number in the header"),
        ({"offset": b"1_000"}, "not a number in the header"),
        ({"offset": b" 5"}, "not a number in the header"),
        ({"offset": b"+5"}, "not a number in the header"),
        ({"offset": b"5\n"}, "not a number in the header"),
        ({"offset": b""}, "not a number in the header"),
        ({"offset": b"5.0"}, "not a number in the header"),
        ({"offset": b"0x5"}, "not a number in the header"),
        ({"offset": "٣".encode()}, "not a number in the header"),
        ({"offset": b"9" * 10_000}, "not a number in the header"),
        ({"offset": b"%d" % OFFSET_LIMIT}, "offset out of bounds"),
        ({"follows": b"1"}, "offset out of bounds"),
        ({"count": b"%d" % (BATCH_EVENTS + 1)}, "count out of bounds"),
        ({"producer": b""}, "producer out of bounds"),
        ({"producer": b"x" * 33}, "producer out of bounds"),
    ],
)
def test_a_header_that_cannot_be_believed(changes, reason):
    entry = offline().unpack(b"1-0", packed(**changes))
    assert isinstance(entry, BadEntry)
    assert entry.reason == reason


@pytest.mark.parametrize("name", [b"\xff\xfe", "café".encode()])
def test_a_producer_that_is_not_ascii(name):
    assert isinstance(offline().unpack(b"1-0", packed(producer=name)), BadEntry)


@pytest.mark.parametrize(
    "name", ["v", "site", "producer", "offset", "count", "follows", "events", "seal"]
)
def test_a_missing_field(name):
    fields = packed()
    del fields[name.encode()]
    entry = offline().unpack(b"1-0", fields)
    assert isinstance(entry, BadEntry)
    assert entry.reason == "field missing"


@pytest.mark.parametrize(
    ("changes"),
    [
        {"offset": b"1000"},
        {"count": b"2"},
        {"follows": b"0", "offset": b"9"},
        {"producer": b"abd"},
        {"events": zlib.compress(b"[9]\n[9]\n[9]")},
        # Fields must not be able to borrow from each other.
        {"offset": b"", "count": b"03"},
    ],
)
def test_a_changed_field_breaks_the_seal(changes):
    genuine = offline().pack(a_batch())
    forged = packed(seal=genuine[b"seal"], **changes)
    assert isinstance(offline().unpack(b"1-0", forged), BadEntry)


@pytest.mark.parametrize("other", [offline(key=b"other"), offline(site="other")])
def test_another_key_or_site_is_refused(other):
    assert isinstance(offline().unpack(b"1-0", other.pack(a_batch())), BadEntry)


def test_a_bad_entry_names_a_producer_that_a_table_can_hold():
    fields = {b"producer": b"a\0b\x1b\xff" + b"x" * 100}
    entry = offline().unpack(b"1-0", fields)
    assert entry.producer.isprintable()
    assert len(entry.producer) <= 32
    assert offline().unpack(b"1-0", {}).producer == ""


@given(
    st.dictionaries(
        st.sampled_from([*packed()]) | st.binary(max_size=9), st.binary(max_size=30)
    )
)
def test_any_rubbish_is_a_bad_entry(fields):
    assert isinstance(offline().unpack(b"1-0", fields), BadEntry)


# Bodies.


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "cut short"),
        (b"rubbish", "not zlib"),
        (zlib.compress(b"[1]\n[2]\n[3]")[:-1], "cut short"),
        (zlib.compress(b"[1]\n[2]\n[3]")[:-6], "cut short"),
        (zlib.compress(b"[1]\n[2]\n[3]") + b"x", "something behind its end"),
        (zlib.compress(b"[1]\n[2]"), "header says 3 events, body has 2"),
        (zlib.compress(b"[1]\n[2]\n[3]\n"), "header says 3 events, body has 4"),
        (zlib.compress(b"x" * (BATCH_BYTES + 1)), "inflates to more than"),
        (deflate(b"x" * (BATCH_BYTES + 1)), "inflates to more than"),
        (with_dictionary(b"another one"), "not zlib"),
    ],
)
def test_a_body_that_cannot_be_read(body, reason):
    entry = offline().unpack(b"1-0", packed(events=body))
    with pytest.raises(Malformed, match=reason):
        entry.lines()


def test_a_batch_of_the_largest_size_fits():
    line = b"x" * (BATCH_BYTES - 1)
    entry = offline().unpack(b"1-0", offline().pack(a_batch(lines=(line,))))
    assert entry.lines() == [line]


def test_a_bomb_is_not_inflated():
    bomb = zlib.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    try:
        with pytest.raises(Malformed):
            inflate(bomb)
        assert tracemalloc.get_traced_memory()[1] < 10 * BATCH_BYTES
    finally:
        tracemalloc.stop()


# The other keys.


def test_what_a_producer_says_is_heard(stream):
    sent(stream, None)
    assert stream.producers() == {"abc": INFO}
    assert stream.info("abc") == INFO
    assert stream.info("nobody") is None


def test_a_shipper_learns_what_is_published(stream):
    entry_id = sent(stream, a_batch()).entry_id
    stream.publish({"abc": 3}, {"abc": 1}, ())
    reply = sent(stream, None, oldest=entry_id)
    assert (reply.expected, reply.rewind, reply.backlog) == (3, 1, 1)
    assert reply.oldest_present
    stream.publish({}, {}, [entry_id])
    reply = sent(stream, None, oldest=entry_id)
    assert (reply.rewind, reply.backlog, reply.oldest_present) == (None, 0, False)


HASHES = ("expected", "rewinds")


def heard(stream) -> tuple[int | None, int | None]:
    reply = sent(stream, None)
    return reply.expected, reply.rewind


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize(
    "value", [b"", b"999", b"999" + b"0" * 16, b"x" * 1000, b"\xff\xfe"]
)
def test_an_unsealed_offset_is_not_believed(stream, hash_name, value):
    stream.client.hset(f"analytics:test:{hash_name}", "abc", value)
    assert heard(stream) == (None, None)


@pytest.mark.parametrize("hash_name", HASHES)
def test_a_seal_holds_for_one_producer_and_one_purpose(stream, hash_name):
    stream.publish({"other": 999}, {"other": 999}, ())
    for source in HASHES:
        value = stream.client.hget(f"analytics:test:{source}", "other")
        stream.client.hset(f"analytics:test:{hash_name}", "abc", value)
        assert heard(stream) == (None, None)
    stream.publish({"abc": 999}, {}, ())
    value = stream.client.hget("analytics:test:expected", "abc")
    stream.client.hset("analytics:test:rewinds", "abc", value)
    assert heard(stream) == (999, None)


@pytest.mark.parametrize("site", ["test2", "tes"])
def test_a_seal_holds_for_one_site(stream, site):
    other = Stream(stream.url, site, b"key")
    other.publish({"abc": 999}, {}, ())
    value = other.client.hget(f"analytics:{site}:expected", "abc")
    stream.client.hset("analytics:test:expected", "abc", value)
    assert heard(stream) == (None, None)
    other.close()


@pytest.mark.parametrize(
    "value", [b"", b"{}", b'{"recorded": 9}', msgspec.json.encode(INFO), b"\xff"]
)
def test_unsealed_words_of_a_producer_are_not_believed(stream, value):
    stream.client.hset("analytics:test:producers", "abc", value)
    stream.client.hset("analytics:test:producers", b"\xff\0", value)
    assert stream.producers() == {}
    assert stream.info("abc") is None


@pytest.mark.parametrize("said", [b"{}", b"[]", b'{"recorded": "many"}', b"\xff", b""])
def test_sealed_words_of_another_version_are_left_out(stream, said):
    value = stream._sealed(b"producers", "abc", said)
    stream.client.hset("analytics:test:producers", "abc", value)
    sent_by_us = stream._sealed(b"producers", "new", msgspec.json.encode(INFO))
    stream.client.hset("analytics:test:producers", "new", sent_by_us)
    assert stream.producers() == {"new": INFO}
    assert stream.info("abc") is None


def test_producers_are_forgotten(stream):
    sent(stream, None)
    stream.publish({"abc": 3}, {"abc": 1}, ())
    stream.forget(["abc"])
    assert stream.client.keys("*") == []


def test_every_key_is_documented(stream):
    import analytics.stream as module

    sent(stream, a_batch())
    stream.publish({"abc": 3}, {"abc": 1}, ())
    stream.finished()
    for key in stream.client.keys("*"):
        prefix, site, name = key.decode().split(":")
        assert (prefix, site) == ("analytics", "test")
        assert f"``{name}``" in module.__doc__


def test_a_full_server_still_lets_the_drain_make_room(stream):
    entry_id = sent(stream, a_batch()).entry_id
    client = stream.client
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StreamError):
            sent(stream, a_batch(3))
        stream.publish({"abc": 3}, {}, [entry_id])
        assert stream.backlog() == 0
    finally:
        client.config_set("maxmemory", 0)


def test_a_failure_is_not_tried_again():
    with pytest.raises(StreamError):
        sent(offline(), a_batch())
