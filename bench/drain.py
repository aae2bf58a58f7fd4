"""How fast the drain is: from Redis to committed SQL, in one process.

Fills the stream with full batches of an hour of traffic, then drains it with the
built-in dimensions. The peer inserts a row for each request. Verifies that what was
sent is what the tables count.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from . import report
from .report import Line, progress, spaced
from .workspace import workspace

TARGET = 100_000
HOUR = 3_600.0


def measure(quick: bool) -> Iterator[Line]:
    count = 50_000 if quick else 500_000
    with workspace():
        from . import serving
        from .filling import BACKLOG_BATCH, fill

        stream = serving.get_stream(timeout=10)
        progress(f"drain: {spaced(count)} events")
        sent = fill(stream, count, BACKLOG_BATCH, HOUR)
        used = time.process_time()
        split, seconds = _drain(stream)
        used = time.process_time() - used
        counted = serving.total()
        peer = _rows_per_second(100 if quick else 1_000)
    rate = sent / seconds
    yield Line(
        what="drain, Redis to committed SQL, one core, built-in dimensions",
        peers=f"django-request {spaced(peer)} rows/s",
        ours=f"{spaced(rate)} events/s, {spaced(sent / used)} per second of processor",
        target=f"≥ {spaced(TARGET)} events/s",
        reached=sent == counted and rate >= TARGET,
        verified=report.counts(sent, counted),
    )
    yield Line(
        what="where a drain's time goes, µs per event",
        peers="",
        ours=" · ".join(f"{n} {s / sent * 1e6:.2f}" for n, s in split.items()),
        target="printed",
        verified=f"{seconds:.1f} s in all",
    )


def _drain(stream: Any) -> tuple[Counter[str], float]:
    """Seconds by part, and in all."""
    from analytics.rollup.drain import Drain

    with _stopwatches() as split:
        drain = Drain(stream)
        started = time.perf_counter()
        drain.run(seconds=600)
        seconds = time.perf_counter() - started
    split["else"] = seconds - sum(split.values())
    return split, seconds


@contextmanager
def _stopwatches() -> Iterator[Counter[str]]:
    """The seconds spent in each part of the drain, by its name."""
    from analytics.rollup import drain, plan, store
    from analytics.stream import Stream

    split: Counter[str] = Counter()
    parts = (
        ("read", Stream, "read"),
        ("decode", plan.Plan, "take"),
        ("fold", drain, "fold"),
        ("merge", store, "add_existing"),
        ("pack", store, "pack_rows"),
        ("write", store, "write_packed"),
        ("publish", Stream, "publish"),
    )
    with ExitStack() as stack:
        for name, owner, attribute in parts:
            timed = _timed(getattr(owner, attribute), split, name)
            stack.enter_context(patch.object(owner, attribute, timed))
        yield split


def _timed(
    function: Callable[..., Any], split: Counter[str], name: str
) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            split[name] += time.perf_counter() - started

    return timed


def _rows_per_second(count: int) -> float:
    """The rows that django-request's middleware makes of requests, as it makes them."""
    from django.core.handlers.wsgi import WSGIRequest
    from django.http import HttpResponse
    from request.models import Request

    from .traffic import environs

    response = HttpResponse()
    requests = [WSGIRequest(environ) for environ in environs(4, count)]
    started = time.perf_counter()
    for request in requests:
        row = Request()
        row.from_http_request(request, response, commit=False)
        row.full_clean()
        row.save()
    rate = count / (time.perf_counter() - started)
    assert Request.objects.count() == count
    return rate


if __name__ == "__main__":
    report.main(measure)
