"""One request and its answer, followed by an adapter until there is an event of it.

Reads what the application sends by. Hands exactly one event to the recorder, at the
first of the answer's ends. Never raises, never changes what is sent. Needs no Django.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterable, Mapping
from time import perf_counter_ns, time_ns
from typing import Any

from .event import class_name, clean
from .maker import CLIENT_LEFT, NO_KWARGS, Maker, is_page
from .recorder import Recorder

NOBODY = ("", False)
NO_TARGET = ("", "", NO_KWARGS)


class Exchange:
    """What is known so far of one request."""

    __slots__ = (
        "_arrived",
        "_maker",
        "_recorder",
        "_started",
        "ended",
        "exception",
        "kind",
        "length",
        "sent",
        "status",
    )

    def __init__(self, recorder: Recorder, maker: Maker) -> None:
        self._recorder, self._maker = recorder, maker
        self._arrived, self._started = time_ns(), perf_counter_ns()
        self.ended = False
        """Whether it is recorded, or given up."""
        self.status = 0
        """0 until the application says one."""
        self.kind: str | None = None
        """The Content-Type of the answer."""
        self.length = 0
        """Its Content-Length, for files that the server sends by itself."""
        self.sent = 0
        self.exception = ""

    def answered(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """The application said how it answers."""
        self.status, self.kind, self.length = status, None, 0
        for name, value in headers:
            lower = name.lower()
            if lower == "content-type":
                self.kind = value
            elif lower == "content-length" and value.isdigit():
                self.length = int(value)

    def failed(self, error: BaseException) -> None:
        """An exception passed: with nothing sent, the server makes a 500 of it."""
        if isinstance(error, CancelledError | GeneratorExit):
            self.status = self.status or CLIENT_LEFT
            return
        self.exception = class_name(error)
        if not self.sent:
            self.status = 500

    def end(
        self,
        meta: Mapping[str, Any],
        method: str,
        path: str,
        target: tuple[str, str],
        unanswered: int = CLIENT_LEFT,
    ) -> None:
        """Record it, unless that is done. ``unanswered`` is the status of none."""
        if self.ended:
            return
        try:
            status = self.status or unanswered
            route, view = target
            event = self._maker.make(
                meta,
                method,
                path,
                (_route(route), clean(view), NO_KWARGS) if route else NO_TARGET,
                NOBODY,
                status,
                self._arrived,
                self._started,
                self.sent,
                self.exception,
                is_page(method, status, self.kind, meta),
            )
        except Exception as error:
            self.missed(error)
        else:
            self.ended = True
            self._recorder.record(event)

    def doubted(self, what: str, error: Exception) -> None:
        """It is recorded without that."""
        self._recorder.counters[f"{what}: {type(error).__name__}"] += 1

    def missed(self, error: Exception) -> None:
        """No event can be made of it: it shows as lost in the ledger."""
        if not self.ended:
            self.ended = True
            self._recorder.miss(f"event: {type(error).__name__}")


def _route(route: str) -> str:
    return clean(route if route.startswith("/") else f"/{route}")
