"""How fast the drain is: from Redis to committed SQL, in one process.

Fills the stream with full batches of an hour of a shop's traffic, then drains it: once
with six dimensions, once with all, and a third time with a stopwatch on each part,
which says what limits it. The peer inserts a row for each request. Verifies that what
was sent is what the tables count.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from . import report
from .report import Line, progress, spaced
from .workspace import workspace

FIRST = ("total", "route", "status", "method", "exception", "product")
TARGET_FIRST, TARGET_ALL = 100_000, 50_000
HOUR = 3_600.0


def measure(quick: bool) -> Iterator[Line]:
    count = 50_000 if quick else 500_000
    with workspace():
        from analytics.rollup.dimensions import get_dimensions

        from . import serving, shop

        shop.stock()
        stream = serving.get_stream(timeout=10)
        peer = (
            f"django-request {spaced(_rows_per_second(100 if quick else 1_000))} rows/s"
        )
        every = get_dimensions()
        first = [one for one in every if one.name in FIRST]
        _warm_up(stream)
        yield _line(
            f"the dimensions {', '.join(FIRST)}",
            *_drained(stream, count, first),
            TARGET_FIRST,
            peer,
        )
        yield _line(
            f"all {len(every)} dimensions",
            *_drained(stream, count, every),
            TARGET_ALL,
            peer,
        )
        yield _limits(stream, count)


def _line(
    what: str, sent: int, counted: int, seconds: float, used: float, *rest: Any
) -> Line:
    target, peer = rest
    rate = sent / seconds
    return Line(
        what=f"drain, Redis to committed SQL, one core, {what}",
        peers=peer,
        ours=f"{spaced(rate)} events/s, {spaced(sent / used)} per second of processor",
        target=f"≥ {spaced(target)} events/s",
        reached=sent == counted and rate >= target,
        verified=report.counts(sent, counted),
    )


def _limits(stream: Any, count: int) -> Line:
    """Where the time goes, in a run of its own: stopwatches take some, too."""
    with _stopwatches() as split:
        sent, counted, seconds, _ = _drained(stream, count, None)
    split["the rest"] = seconds - sum(split.values())
    parts = (f"{name} {s / sent * 1e6:.2f}" for name, s in split.most_common())
    name, most = split.most_common(1)[0]
    return Line(
        what="what limits the drain of all dimensions, µs per event",
        peers="",
        ours=" · ".join(parts),
        target="printed",
        verified=f"{report.counts(sent, counted)}; {name}: {most / seconds:.0%}",
    )


def _warm_up(stream: Any) -> None:
    """What a process does once: it reads the rules of user agents."""
    _drained(stream, 1_000, None)


def _drained(
    stream: Any, count: int, dimensions: Sequence[Any] | None
) -> tuple[int, int, float, float]:
    """Events sent and counted; seconds, and those of the processor."""
    from analytics.models import Rollup
    from analytics.rollup import drain

    from . import serving
    from .filling import fill_shop

    progress(f"drain: {spaced(count)} events")
    Rollup.objects.all().delete()
    sent = fill_shop(stream, count, HOUR)
    with ExitStack() as stack:
        if dimensions is not None:
            stack.enter_context(
                patch.object(drain, "dimensions_of", lambda site: dimensions)
            )
        worker = drain.Drain(stream)
        started, used = time.perf_counter(), time.process_time()
        worker.run(seconds=600)
        seconds, used = time.perf_counter() - started, time.process_time() - used
    return sent, serving.total(), seconds, used


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
