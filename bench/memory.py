"""What a waiting event takes in Redis: our batches, and one XADD per request.

Puts batches into the stream as a shipper makes them at two rates, and asks Redis for
the memory of the key and for its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import report
from .report import Line, progress, spaced
from .workspace import workspace

LIMITS = {200: 45.0, 20: 130.0}
"""Requests a second of one process -> bytes."""


def measure(quick: bool) -> Iterator[Line]:
    count = 5_000 if quick else 100_000
    with workspace():
        from analytics.recording.shipper import INTERVAL

        from . import serving
        from .filling import fill

        stream = serving.get_stream(timeout=10)
        peer, peer_used = _bytes(stream.client, _xadds(stream.client, count), count)
        for rate, limit in LIMITS.items():
            progress(f"memory at {rate} requests/s")
            per_batch = int(rate * INTERVAL)

            def put(per_batch: int = per_batch, rate: int = rate) -> str:
                fill(stream, count, per_batch, count / rate)
                return stream.events

            ours, used = _bytes(stream.client, put, count)
            yield Line(
                what=f"Redis memory per waiting event at {rate} requests/s",
                peers=f"one XADD {peer:.0f} B (used_memory {peer_used:.0f} B)",
                ours=f"{ours:.1f} B (used_memory {used:.1f} B)",
                target=f"≤ {limit:.0f} B",
                reached=ours <= limit,
                verified=f"{spaced(count)} events, {per_batch} in a batch",
            )


def _bytes(client: Any, put: Callable[[], str], count: int) -> tuple[float, float]:
    """Bytes per event: of the key by itself, and by what the server grew."""
    # At once: deleted later, it would be subtracted from what comes next.
    client.execute_command("FLUSHALL", "SYNC")
    before = client.info("memory")["used_memory"]
    key = put()
    used = client.info("memory")["used_memory"] - before
    return client.memory_usage(key, samples=0) / count, used / count


def _xadds(client: Any, count: int) -> Callable[[], str]:
    from django.core.handlers.wsgi import WSGIRequest
    from django.http import HttpResponse

    from . import peers
    from .traffic import environs

    response = HttpResponse()
    requests = [WSGIRequest(environ) for environ in environs(5, 1_000)]

    def put() -> str:
        pipe = client.pipeline(transaction=False)
        for number in range(count):
            request = requests[number % len(requests)]
            pipe.xadd(peers.STREAM, peers.fields(request, response, 0.0))
            if len(pipe) >= 1_000:
                pipe.execute()
        pipe.execute()
        return peers.STREAM

    return put


if __name__ == "__main__":
    report.main(measure)
