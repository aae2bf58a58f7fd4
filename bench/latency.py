"""What a middleware adds to a request: ours and the peers', with Redis up and away.

Asks for pages in this process. Each variant is paired with the empty middleware: one
request of each, in random order, again and again; the pairs take turns in blocks. So
whatever disturbs the machine disturbs both sides of a comparison. Verifies that each
request of ours was counted, those while Redis was away too.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dashboard.valkey import EmbeddedValkey

from . import report
from .report import Line, percentile, progress
from .workspace import workspace

if TYPE_CHECKING:
    from .serving import Ask, Environ

BLOCKS = 10
SLOW = {"django-request": 5}
"""A request with a write to SQLite: so many times fewer of them are enough."""
OURS, EMPTY = "ours", "empty"


class Pair:
    """The nanoseconds of a variant's requests, and of the empty ones among them."""

    def __init__(self, ask: Ask, empty: Ask) -> None:
        self._sides: list[tuple[Ask, list[int]]] = [(ask, []), (empty, [])]

    def run(self, requests: list[Environ], rng: random.Random) -> None:
        sides = self._sides[:]
        for environ in requests:
            rng.shuffle(sides)
            for ask, samples in sides:
                samples.append(ask(environ))

    def added(self, q: float) -> float:
        """Microseconds above the empty middleware, at a percentile."""
        variant, empty = (percentile(samples, q) for _, samples in self._sides)
        return (variant - empty) / 1000

    def empty(self, q: float) -> float:
        return percentile(self._sides[1][1], q) / 1000


Pairs = dict[str, Pair]


def measure(quick: bool) -> Iterator[Line]:
    rounds = 500 if quick else 5_000
    with workspace() as valkey:
        from . import serving

        sites = _sites()
        up = _interleaved(sites, rounds, "Redis up")
        sites = {name: sites[name] for name in (EMPTY, OURS, "one XADD")}
        with _stopped(valkey):
            refused = _interleaved(sites, rounds, "Redis stopped")
        del sites["one XADD"]
        with _hung(valkey):
            hung = _interleaved(sites, rounds, "Redis hung")
        verified = report.counts(serving.recorded(), serving.count_all())
    counted = "≠" not in verified
    yield from _up(up, verified, counted)
    for state, pairs in (("stopped", refused), ("hung", hung)):
        yield _away(state, pairs, verified, counted)


def _sites() -> dict[str, Ask]:
    """Each warmed up: its caches, its connections and the shipper are there."""
    from . import peers, serving
    from .traffic import environs

    sites = {
        EMPTY: serving.handler(peers.EMPTY),
        OURS: serving.handler(peers.OURS),
        "django-prometheus": serving.handler(peers.PROMETHEUS),
        "one XADD": serving.handler(peers.XADD),
        "django-request": serving.handler(peers.REQUEST),
    }
    for ask in sites.values():
        for environ in environs(3, 100):
            ask(environ)
    return sites


def _interleaved(sites: dict[str, Ask], rounds: int, what: str) -> Pairs:
    from .traffic import environs

    progress(f"latency, {what}: {rounds} pairs of requests")
    rng = random.Random(1)
    pairs = {n: Pair(ask, sites[EMPTY]) for n, ask in sites.items() if n != EMPTY}
    requests = environs(2, rounds // BLOCKS)
    for _ in range(BLOCKS):
        for name, pair in rng.sample(list(pairs.items()), len(pairs)):
            pair.run(requests[: len(requests) // SLOW.get(name, 1)], rng)
    return pairs


@contextmanager
def _stopped(valkey: EmbeddedValkey) -> Iterator[None]:
    """No server: connections are refused."""
    valkey.process.terminate()
    valkey.process.wait(10)
    yield
    valkey.start()


@contextmanager
def _hung(valkey: EmbeddedValkey) -> Iterator[None]:
    """A server that takes connections and never answers."""
    os.kill(valkey.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(valkey.process.pid, signal.SIGCONT)


def _up(pairs: Pairs, verified: str, counted: bool) -> Iterator[Line]:
    ours = pairs[OURS]
    prometheus = pairs["django-prometheus"].added(50)
    limit = min(10.0, prometheus / 5)
    yield Line(
        what="latency added to a request, p50",
        peers=_peers(pairs, 50),
        ours=f"{ours.added(50):.1f} µs, {ours.added(50) / prometheus:.2f} of "
        "django-prometheus",
        target="≤ 10 µs and ≤ 1/5 of django-prometheus",
        reached=counted and ours.added(50) <= limit,
        verified=verified,
    )
    yield Line(
        what="latency added to a request, p99",
        peers=_peers(pairs, 99),
        ours=f"{ours.added(99):.0f} µs",
        target="printed",
        verified=f"empty p50 {ours.empty(50):.0f} µs, p99 {ours.empty(99):.0f} µs",
    )


def _peers(pairs: Pairs, q: float) -> str:
    others = ((name, pair) for name, pair in pairs.items() if name != OURS)
    return " · ".join(f"{name} {pair.added(q):.0f} µs" for name, pair in others)


def _away(state: str, pairs: Pairs, verified: str, counted: bool) -> Line:
    ours = pairs[OURS]
    return Line(
        what=f"the same with Redis {state}, p50 (p99)",
        peers=_peers(pairs, 50) or "one XADD: its time-out, in each request",
        ours=f"{ours.added(50):.1f} µs ({ours.added(99):.0f} µs)",
        target="≤ 10 µs",
        reached=counted and ours.added(50) <= 10,
        verified=verified,
    )


if __name__ == "__main__":
    report.main(measure)
