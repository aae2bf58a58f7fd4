"""The clients of a tested site: threads that ask, and remember what was answered."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count, cycle, islice
from pathlib import Path

NOT_FOUND = "(not found)"


@dataclass(frozen=True)
class Ask:
    """A request, and what has to be counted for it."""

    path: str
    route: str
    status: int
    method: str = "GET"
    exception: str = ""


PAGE = Ask("/ok", "/ok", 200)
MIX = (
    PAGE,
    Ask("/items/7/", "/items/<int:pk>/", 200),
    Ask("/not-modified", "/not-modified", 304),
    Ask("/missing", "/missing", 404),
    Ask("/no/such/path", NOT_FOUND, 404),
    Ask("/get-only", "/get-only", 405, method="POST"),
    Ask("/redirect", "/redirect", 302),
    Ask("/broken", "/broken", 500, exception="ArithmeticError"),
    Ask("/stream", "/stream", 200),
    Ask("/file", "/file", 200),
    Ask("/slow", "/slow", 200),
    Ask("/ok", "/ok", 200, method="HEAD"),
    Ask("/ok", "/ok", 200, method="PATCH"),
)


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket: no port that another process could take."""

    def __init__(self, path: Path, timeout: float = 30) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def answer_to(address: Path, ask: Ask, timeout: float = 30) -> int:
    """The status of a complete answer. Raises OSError or HTTPException."""
    connection = UnixConnection(address, timeout)
    try:
        # A connection of its own for each request: one that is kept may be closed
        # by the server just as we ask, and then nobody knows whether it was asked.
        connection.request(ask.method, ask.path, headers={"Connection": "close"})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


@dataclass
class Outcome:
    """What the clients saw."""

    answered: Counter[Ask] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    """Sent, and not answered completely: the exceptions' texts."""
    wrong: Counter[str] = field(default_factory=Counter)
    """Answered with a status that the view does not give."""
    seconds: list[float] = field(default_factory=list)
    """How long the answers took."""

    @property
    def sent(self) -> int:
        return self.answered.total() + self.failed.total()

    def by(self, attribute: str) -> dict[str, int]:
        """Answers by an attribute of their request; the empty value left out."""
        counts: Counter[str] = Counter()
        for ask, number in self.answered.items():
            if value := str(getattr(ask, attribute)):
                counts[value] += number
        return dict(counts)

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.answered + other.answered,
            self.failed + other.failed,
            self.wrong + other.wrong,
            self.seconds + other.seconds,
        )


class Clients:
    """Several clients that ask at once until the asks, or their time, run out."""

    def __init__(self, address: Path, asks: Iterable[Ask], clients: int) -> None:
        self.outcome = Outcome()
        self._address = address
        self._asks = iter(asks)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> Outcome:
        self._stop.set()
        return self.join()

    def join(self) -> Outcome:
        for thread in self._threads:
            thread.join()
        assert not self.outcome.wrong, "answered otherwise than without us"
        return self.outcome

    def answers(self) -> int:
        return len(self.outcome.seconds)

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                ask = next(self._asks, None)
            if ask is None:
                return
            self._ask(ask)

    def _ask(self, ask: Ask) -> None:
        started = time.perf_counter()
        try:
            status = answer_to(self._address, ask)
        except (OSError, HTTPException) as error:
            with self._lock:
                self.outcome.failed[repr(error)] += 1
            return
        with self._lock:
            self.outcome.seconds.append(time.perf_counter() - started)
            self.outcome.answered[ask] += 1
            if status != ask.status:
                self.outcome.wrong[f"{ask.path}: {status}"] += 1


def mixed(number: int | None = None, mix: Iterable[Ask] = MIX) -> Iterator[Ask]:
    """``number`` requests of the mix in turn, or an endless supply of them."""
    return islice(cycle(mix), number)


def paced(asks: Iterable[Ask], per_second: float) -> Iterator[Ask]:
    """The same asks, each not before its time: a load that does not saturate."""
    started = time.monotonic()
    for number, ask in zip(count(), asks):
        time.sleep(max(0.0, started + number / per_second - time.monotonic()))
        yield ask
