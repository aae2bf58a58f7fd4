"""Asks a site in this process, through its WSGI handler; counts what arrived in SQL."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db.models import Sum
from django.test import override_settings

from analytics.conf import get_config, get_stream
from analytics.models import Rollup
from analytics.recording.middleware import get_recorder
from analytics.rollup.buckets import Grain
from analytics.rollup.drain import Drain

from . import peers

Environ = dict[str, Any]
Ask = Callable[[Environ], int]


def handler(middleware: list[str]) -> Ask:
    """A site with ``middleware`` around the common ones, as a function to ask it.

    It answers with the nanoseconds that the request took until it was closed.
    """
    whole = [*middleware, *settings.MIDDLEWARE]
    if middleware is peers.PROMETHEUS:
        before, after = middleware
        whole = [before, *settings.MIDDLEWARE, after]
    with override_settings(MIDDLEWARE=whole):
        application = WSGIHandler()

    def ask(environ: Environ) -> int:
        environ = environ.copy()
        started = time.perf_counter_ns()
        response = application(environ, _start_response)
        for _ in response:
            pass
        response.close()
        return time.perf_counter_ns() - started

    return ask


def _start_response(status: str, headers: list[tuple[str, str]]) -> None:
    if not status.startswith("200"):
        raise AssertionError(f"The page was answered {status}.")


def recorded() -> int:
    """How many requests this process has recorded."""
    journal = get_recorder()._journal
    return journal.next_offset if journal else 0


def count_all(timeout: float = 60) -> int:
    """Drain until all that this process recorded is counted; the total in the table."""
    drain = Drain(get_stream())
    deadline = time.monotonic() + timeout
    while total() < recorded() and time.monotonic() < deadline:
        drain.run()
        time.sleep(0.05)
    return total()


def total() -> int:
    """The requests in the table, from the rows of the days."""
    rows = Rollup.objects.of(get_config().site, "total", Grain.DAY)
    return int(rows.aggregate(n=Sum("requests", default=0))["n"])
