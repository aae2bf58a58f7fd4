"""Processor time of the whole process per request, its shipper included.

One child process for each variant asks itself for pages at a paced rate and reports
the processor time of a block; the children take turns, in random order. What the empty
middleware takes is subtracted. Verifies that each request of ours was counted.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator

from . import report
from .report import Line, progress
from .workspace import enter, workspace

RATES = (100, 1_000)
BLOCK_SECONDS = 2.0
SETTLE_SECONDS = 0.6
"""Two looks of the shipper at the journal: what was recorded is on its way."""
VARIANTS = ("ours", "empty", "django-prometheus")


def measure(quick: bool) -> Iterator[Line]:
    with workspace() as valkey:
        children = {
            name: subprocess.Popen(
                [sys.executable, "-m", "bench.cpu", name, str(valkey.folder.parent)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in VARIANTS
        }
        try:
            results = [_rate(children, rate, 1 if quick else 6) for rate in RATES]
        finally:
            for child in children.values():
                child.communicate(timeout=10)
        sent = sum(number for number, _ in results)
        counted = _counted(sent)
    verified = report.counts(sent, counted)
    for rate, (_, added) in zip(RATES, results, strict=True):
        limit = added["django-prometheus"] / 2
        judged = rate == 1_000
        target = f"≤ 1/2 of django-prometheus: {limit:.0f} µs"
        yield Line(
            what=f"processor time added to a request at {rate} requests/s",
            peers=f"django-prometheus {added['django-prometheus']:.0f} µs",
            ours=f"{added['ours']:.0f} µs",
            target=target if judged else "printed",
            reached=sent == counted and added["ours"] <= limit if judged else None,
            verified=verified,
        )


def _rate(
    children: dict[str, subprocess.Popen[str]], rate: int, blocks: int
) -> tuple[int, dict[str, float]]:
    """Requests of ours, and microseconds added by each variant."""
    progress(f"processor time at {rate} requests/s")
    used: dict[str, list[float]] = defaultdict(list)
    count = int(rate * BLOCK_SECONDS)
    for block in range(-1, blocks):
        for name in random.Random(block).sample(VARIANTS, len(VARIANTS)):
            microseconds = _ask(children[name], rate, count)
            if block >= 0:
                used[name].append(microseconds / count)
    empty = used.pop("empty")
    added = {
        name: statistics.median(map(float.__sub__, values, empty))
        for name, values in used.items()
    }
    return count * (blocks + 1), added


def _ask(child: subprocess.Popen[str], rate: int, count: int) -> float:
    assert child.stdin
    assert child.stdout
    child.stdin.write(f"{rate} {count}\n")
    child.stdin.flush()
    return float(child.stdout.readline())


def _counted(sent: int) -> int:
    from analytics.rollup.drain import Drain

    from . import serving

    drain = Drain(serving.get_stream())
    deadline = time.monotonic() + 20
    while serving.total() < sent and time.monotonic() < deadline:
        drain.run()
        time.sleep(0.05)
    return serving.total()


def serve(variant: str, folder: str) -> None:
    """The child: for each line ``rate count``, the microseconds that it took."""
    enter(folder, f"unix://{folder}/redis.sock")
    from . import peers, serving
    from .traffic import environs

    middleware = {
        "ours": peers.OURS,
        "empty": peers.EMPTY,
        "django-prometheus": peers.PROMETHEUS,
    }
    ask = serving.handler(middleware[variant])
    requests = environs(6, 1_000)
    for line in sys.stdin:
        rate, count = map(int, line.split())
        started = time.process_time_ns()
        due = time.perf_counter()
        for number in range(count):
            due += 1 / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            ask(requests[number % len(requests)])
        time.sleep(SETTLE_SECONDS)
        print((time.process_time_ns() - started) / 1000, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in VARIANTS:
        serve(*sys.argv[1:])
    else:
        report.main(measure)
