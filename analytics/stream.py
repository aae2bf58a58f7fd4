"""The Redis stream between web processes and the drain, and every other key we use.

The only module that speaks Redis. All keys start with ``analytics:<site>:``, but for
``analytics:sites``, a hash of which site has recorders: name -> when it was heard of
first and last, sealed, of at most ``SITES_LIMIT`` sites.

============  ======  ==================================================  ===========
key           type    holds                                               bounded by
============  ======  ==================================================  ===========
``events``    stream  batches: zlib (with ``dictionary.py``) of JSON      shippers'
                      lines, with a sealed header                         pause
``producers``  hash   producer -> JSON of ``ProducerInfo``                drain
``expected``  hash    producer -> next offset the tables expect           drain
``rewinds``   hash    producer -> offset to send again from               shippers
``drained``   string  when a drain last finished, seconds since 1970      one value
============  ======  ==================================================  ===========

Every value but ``drained`` ends in a seal, a keyed hash over the site and the value:
whoever can write to Redis, but has not the key, can delay events and can not forge,
hide or delete one. Never: pickle, a retry of a write, trimming by length.
"""

from __future__ import annotations

import datetime
import hmac
import time
import zlib
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, RedisError
from redis.retry import Retry

from .dictionary import DICTIONARY
from .recording.event import clean
from .recording.names import SEAL_BYTES, seal
from .recording.reader import BATCH_BYTES, BATCH_EVENTS, Batch
from .recording.registry import Registry

VERSION = b"1"
OFFSET_LIMIT = 2**53
PRODUCER_LIMIT = 32
HEADER = (b"v", b"site", b"producer", b"offset", b"count", b"follows")
StreamError = RedisError


class ProducerInfo(msgspec.Struct, frozen=True):
    """What a shipper says of a producer each time it speaks to Redis.

    A new field comes last and has a default: in a deployment old and new code talk.
    """

    recorded: Annotated[int, msgspec.Meta(ge=0, lt=OFFSET_LIMIT)]
    """The next offset it will use: so many requests were recorded."""
    host: Annotated[str, msgspec.Meta(max_length=100)]
    pid: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    started: float
    seen: float
    """When this was said, in seconds since 1970-01-01 UTC, as are the others."""
    oldest: float | None = None
    """Arrival of the oldest event not counted yet."""
    closed: bool = False
    """The process ended, and this is all there is."""
    alive: float | None = None
    """When the process was last known to live, if another speaks for it; else it does
    itself, and is."""


def moment(seconds: float | None) -> datetime.datetime | None:
    """A time that was said, as an aware UTC one; None for what is no time at all."""
    if not seconds:
        return None
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return None


class Malformed(ValueError):
    """An entry that cannot be applied; the text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the stream, its header checked and its body still packed."""

    id: bytes
    producer: str
    offset: int
    count: int
    follows: int
    body: bytes

    @property
    def end(self) -> int:
        return self.offset + self.count

    def lines(self) -> list[bytes]:
        """The events' lines. Raises Malformed if there are not exactly ``count``."""
        if self.count == 0:
            return []
        lines = inflate(self.body).split(b"\n")
        if len(lines) != self.count:
            raise Malformed(f"header says {self.count} events, body has {len(lines)}")
        return lines


@dataclass(frozen=True, slots=True)
class BadEntry:
    """One entry of the stream whose header cannot be believed."""

    id: bytes
    fields: Mapping[bytes, bytes]
    reason: str

    @property
    def producer(self) -> str:
        """Whom it names, fit for a table; a lie as likely as not."""
        named = self.fields.get(b"producer", b"")[:PRODUCER_LIMIT]
        return clean(named.decode("ascii", "replace"))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a shipper learns in one round trip."""

    entry_id: bytes | None
    expected: int | None
    rewind: int | None
    backlog: int
    oldest_present: bool


def deflate(data: bytes) -> bytes:
    """What ``inflate`` unpacks."""
    packer = zlib.compressobj(zdict=DICTIONARY)
    return packer.compress(data) + packer.flush()


def inflate(body: bytes) -> bytes:
    """Unpack, never to more than a batch may hold. Raises Malformed."""
    unpacker = zlib.decompressobj(zdict=DICTIONARY)
    try:
        data = unpacker.decompress(body, BATCH_BYTES + 1)
    except zlib.error as error:
        raise Malformed(f"body is not zlib: {error}") from None
    if len(data) > BATCH_BYTES:
        raise Malformed(f"body inflates to more than {BATCH_BYTES} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise Malformed("body is cut short or has something behind its end")
    return data


def _natural(digits: bytes) -> int:
    """A number as we write it: ``int`` alone would also take b" 1_000"."""
    if not digits.isdigit() or len(digits) > 20:
        raise Malformed("not a number in the header")
    return int(digits)


def connect(url: str, timeout: float = 1.0) -> redis.Redis:
    """A client that answers or fails within ``timeout`` seconds, and never retries.

    A retried XADD may have been executed before: the shipper sends again itself,
    and the offsets make the second one harmless.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
    )


class Stream:
    """One site's keys. Thread-safe as far as its client is."""

    def __init__(self, url: str, site: str, key: bytes, timeout: float = 1.0) -> None:
        self.url = url
        self.site = site
        self.client = connect(url, timeout)
        self._key = key
        self.registry = Registry(self.client, key)
        prefix = f"analytics:{site}:"
        self.events = f"{prefix}events"
        self._producers = f"{prefix}producers"
        self._expected = f"{prefix}expected"
        self._rewinds = f"{prefix}rewinds"
        self._drained = f"{prefix}drained"

    # The shipper's side.

    def exchange(
        self, batch: Batch | None, producer: str, info: ProducerInfo, oldest: bytes
    ) -> Reply:
        """Send a batch and say how far we are; learn what is counted.

        ``oldest`` is the id of the first entry not known to be counted. All in one
        transaction, as is the drain's publishing: an entry that is gone and yet not
        expected was lost, not just counted a moment ago.
        """
        pipe = self.client.pipeline(transaction=True)
        if batch is not None:
            pipe.xadd(self.events, self.pack(batch))
        said = msgspec.json.encode(info)
        pipe.hset(self._producers, producer, self._sealed(b"producers", producer, said))
        pipe.hget(self._expected, producer)
        pipe.hget(self._rewinds, producer)
        pipe.hdel(self._rewinds, producer)
        pipe.xlen(self.events)
        pipe.xrange(self.events, oldest or b"-", oldest or b"+", count=1)
        results = pipe.execute()
        entry_id = results.pop(0) if batch is not None else None
        return Reply(
            entry_id=entry_id,
            expected=self._offset(b"expected", producer, results[1]),
            rewind=self._offset(b"rewinds", producer, results[2]),
            backlog=results[4],
            oldest_present=bool(results[5]),
        )

    def pack(self, batch: Batch) -> dict[bytes, bytes]:
        """A batch as the fields of an entry."""
        body = deflate(b"\n".join(batch.lines)) if batch.lines else b""
        header = [
            VERSION,
            self.site.encode(),
            batch.producer.encode(),
            *(b"%d" % n for n in (batch.offset, len(batch.lines), batch.follows)),
        ]
        fields = dict(zip(HEADER, header, strict=True))
        return {**fields, b"events": body, b"seal": self._seal(*header, body)}

    # The drain's side.

    def read(self, count: int, after: bytes = b"") -> list[Entry | BadEntry]:
        """Up to ``count`` entries from the head of the stream, or behind ``after``."""
        start = b"(" + after if after else b"-"
        found: Any = self.client.xrange(self.events, start, b"+", count=count)
        return [self.unpack(entry_id, fields) for entry_id, fields in found]

    def unpack(
        self, entry_id: bytes, fields: Mapping[bytes, bytes]
    ) -> Entry | BadEntry:
        try:
            return self._entry(entry_id, fields)
        except (Malformed, KeyError, ValueError) as error:
            missing = isinstance(error, KeyError)
            reason = "field missing" if missing else str(error)
            return BadEntry(entry_id, fields, reason)

    def _entry(self, entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
        if fields[b"v"] != VERSION:
            raise Malformed("unknown version of the entry")
        if fields[b"site"] != self.site.encode():
            raise Malformed("entry of another site")
        header = [fields[name] for name in HEADER]
        body = fields[b"events"]
        if not hmac.compare_digest(fields[b"seal"], self._seal(*header, body)):
            raise Malformed("seal does not fit: another key, or not ours")
        offset, count, follows = (_natural(fields[name]) for name in HEADER[3:])
        if not (0 <= offset < OFFSET_LIMIT and 0 <= follows <= offset):
            raise Malformed("offset out of bounds")
        if not 0 <= count <= BATCH_EVENTS:
            raise Malformed("count out of bounds")
        producer = fields[b"producer"].decode("ascii")
        if not 0 < len(producer) <= PRODUCER_LIMIT:
            raise Malformed("producer out of bounds")
        return Entry(entry_id, producer, offset, count, follows, body)

    def publish(
        self,
        expected: Mapping[str, int],
        rewinds: Mapping[str, int],
        done: Iterable[bytes],
    ) -> None:
        """After the commit: say what is expected, and delete the entries by id."""
        pipe = self.client.pipeline(transaction=True)
        for kind, key, offsets in (
            (b"expected", self._expected, expected),
            (b"rewinds", self._rewinds, rewinds),
        ):
            for producer, offset in offsets.items():
                value = self._sealed(kind, producer, b"%d" % offset)
                pipe.hset(key, producer, value)
        if done := list(done):
            pipe.xdel(self.events, *done)
        if not len(pipe):
            return
        try:
            pipe.execute()
        except OutOfMemoryError:
            # Deleting is what makes room; the shippers ask again for the rest.
            if done:
                self.client.xdel(self.events, *done)

    def finished(self) -> None:
        """Note that a drain came to its end just now."""
        # A full Redis refuses it; the drain did its work all the same.
        with suppress(OutOfMemoryError):
            self.client.set(self._drained, b"%.3f" % time.time())

    def drained_at(self) -> float | None:
        """When a drain last finished, in seconds since 1970."""
        try:
            return float(self.client.get(self._drained) or "")
        except ValueError:
            return None

    def producers(self) -> dict[str, ProducerInfo]:
        """What every producer last said; what is not theirs is left out."""
        found: Any = self.client.hgetall(self._producers)
        infos = {}
        for name, value in found.items():
            producer = name.decode("ascii", "replace")
            info = self._info(producer, value)
            if info is not None:
                infos[producer] = info
        return infos

    def producers_named(self, names: Collection[str]) -> dict[str, ProducerInfo]:
        """What these producers last said, as far as they did."""
        if not names:
            return {}
        found: Any = self.client.hmget(self._producers, list(names))
        infos = (self._info(*pair) for pair in zip(names, found, strict=True))
        pairs = zip(names, infos, strict=True)
        return {name: info for name, info in pairs if info is not None}

    def info(self, producer: str) -> ProducerInfo | None:
        value: Any = self.client.hget(self._producers, producer)
        return self._info(producer, value)

    def expected(self, producer: str) -> int | None:
        value: Any = self.client.hget(self._expected, producer)
        return self._offset(b"expected", producer, value)

    def forget(self, producers: Iterable[str]) -> None:
        """Drop what is kept of producers that are closed and counted."""
        if producers := list(producers):
            pipe = self.client.pipeline(transaction=True)
            for key in (self._producers, self._expected, self._rewinds):
                pipe.hdel(key, *producers)
            pipe.execute()

    # For health and checks.

    def backlog(self) -> int:
        """Entries waiting."""
        return int(self.client.xlen(self.events))

    def oldest_shipped(self) -> float | None:
        """When the entry at the head was shipped, in seconds since 1970."""
        found: Any = self.client.xrange(self.events, count=1)
        return int(found[0][0].partition(b"-")[0]) / 1000 if found else None

    def server_info(self) -> dict[str, Any]:
        """Redis's INFO, as its client parses it."""
        return dict(self.client.info())

    def close(self) -> None:
        self.client.close()

    # Seals.

    def _seal(self, *parts: bytes) -> bytes:
        return seal(self._key, *parts)

    def _sealed(self, kind: bytes, producer: str, value: bytes) -> bytes:
        seal = self._seal(kind, self.site.encode(), producer.encode(), value)
        return value + seal.hex().encode()

    def _unsealed(
        self, kind: bytes, producer: str, value: bytes | None
    ) -> bytes | None:
        if value is None:
            return None
        said = value[: -2 * SEAL_BYTES]
        fits = hmac.compare_digest(value, self._sealed(kind, producer, said))
        return said if fits else None

    def _info(self, producer: str, value: bytes | None) -> ProducerInfo | None:
        said = self._unsealed(b"producers", producer, value)
        if said is None:
            return None
        try:
            return msgspec.json.decode(said, type=ProducerInfo)
        except msgspec.DecodeError:
            # From another version of this app, in the middle of a deployment.
            return None

    def _offset(self, kind: bytes, producer: str, value: bytes | None) -> int | None:
        said = self._unsealed(kind, producer, value)
        return None if said is None else int(said)
