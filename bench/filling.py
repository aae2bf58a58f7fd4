"""Fills the stream with batches as shippers make them, without web processes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable

from analytics.batches import batched
from analytics.recording.event import encode
from analytics.recording.reader import Batch
from analytics.stream import Stream

from . import shop
from .traffic import event_lines

BACKLOG_BATCH = 1_000
"""Events of a batch when a shipper has a backlog: as many as it may have."""
SHOP_BATCH = 750
"""The same of a shop, whose events are longer: a batch has at most 256 kB."""
PRODUCERS = 4


def fill(stream: Stream, count: int, per_batch: int, seconds: float) -> int:
    """Put ``count`` events of the last ``seconds`` into the stream; how many did."""
    first = int((time.time() - seconds) * 1000)
    offsets = new_producers()
    put(stream, event_lines(1, count, first, seconds), per_batch, offsets)
    return sum(offsets.values())


def fill_shop(stream: Stream, count: int, seconds: float) -> int:
    """The same with the traffic of ``bench.shop``."""
    first = int((time.time() - seconds) * 1000)
    offsets = new_producers()
    lines = map(encode, shop.visits(event_lines(1, count, first, seconds)))
    put(stream, lines, SHOP_BATCH, offsets)
    return sum(offsets.values())


def new_producers() -> dict[str, int]:
    """Producer -> how many events it has sent."""
    return {secrets.token_hex(8): 0 for _ in range(PRODUCERS)}


def put(
    stream: Stream, lines: Iterable[bytes], per_batch: int, offsets: dict[str, int]
) -> None:
    """Put journal lines into the stream, in batches of each producer in turn."""
    names = list(offsets)
    pipe = stream.client.pipeline(transaction=False)
    for number, batch in enumerate(batched(lines, per_batch)):
        name = names[number % len(names)]
        offset = offsets[name]
        offsets[name] = offset + len(batch)
        pipe.xadd(stream.events, stream.pack(Batch(name, offset, offset, batch)))
        if len(pipe) >= 50:
            pipe.execute()
    pipe.execute()
