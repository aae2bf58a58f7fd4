"""Fills the stream with batches as shippers make them, without web processes."""

from __future__ import annotations

import secrets
import time

from analytics.batches import batched
from analytics.recording.reader import Batch
from analytics.stream import Stream

from .traffic import event_lines

BACKLOG_BATCH = 1_000
"""Events of a batch when a shipper has a backlog: as many as it may have."""
PRODUCERS = 4


def fill(stream: Stream, count: int, per_batch: int, seconds: float) -> int:
    """Put ``count`` events of the last ``seconds`` into the stream; how many did."""
    first = int((time.time() - seconds) * 1000)
    names = [secrets.token_hex(8) for _ in range(PRODUCERS)]
    offsets = dict.fromkeys(names, 0)
    pipe = stream.client.pipeline(transaction=False)
    lines = event_lines(1, count, first, seconds)
    for number, batch in enumerate(batched(lines, per_batch)):
        name = names[number % PRODUCERS]
        offset = offsets[name]
        offsets[name] = offset + len(batch)
        pipe.xadd(stream.events, stream.pack(Batch(name, offset, offset, batch)))
        if len(pipe) >= 50:
            pipe.execute()
    pipe.execute()
    return sum(offsets.values())
