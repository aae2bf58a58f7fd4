"""Two million waiting events: drained in bounded memory while the admin saves.

A child process drains; this one saves a product every 50 ms. Measured are the child's
largest memory, how long its transactions held the write lock, and the saves. Verifies
that what was sent is what the tables count.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import report
from .report import Line, percentile, progress, spaced
from .workspace import enter, workspace

EVENTS = 2_000_000
SPREAD = 4 * 3_600.0
"""Seconds over which the events came in."""
SAVE_EVERY = 0.05
RSS_LIMIT = 300
LOCK_LIMIT = 0.25


def measure(quick: bool) -> Iterator[Line]:
    count = EVENTS // 20 if quick else EVENTS
    with workspace() as valkey:
        from . import serving
        from .filling import BACKLOG_BATCH, fill

        progress(f"backlog: {spaced(count)} events are put into the stream")
        stream = serving.get_stream(timeout=10)
        sent = fill(stream, count, BACKLOG_BATCH, SPREAD)
        progress("backlog: drained, while products are saved")
        child = subprocess.Popen(
            [sys.executable, "-m", "bench.backlog", "child", str(valkey.folder.parent)],
            stdout=subprocess.PIPE,
            text=True,
        )
        saves, failed = _save_until_end_of(child)
        assert child.stdout
        result = json.loads(child.stdout.read())
        counted = serving.total()
    yield _line(sent, counted, result, saves, failed)


def _save_until_end_of(child: subprocess.Popen[str]) -> tuple[list[float], int]:
    """Seconds that each save took, and how many were refused."""
    from django.db import DatabaseError

    from products.models import Category, Product

    category = Category.objects.create(name="Lighting", slug="lighting")
    product = Product.objects.create(
        sku="PG-1", name="Lamp", slug="lamp", category=category, price=1
    )
    saves, failed = [], 0
    while child.poll() is None:
        started = time.perf_counter()
        try:
            product.stock += 1
            product.save()
        except DatabaseError:
            failed += 1
        saves.append(time.perf_counter() - started)
        time.sleep(SAVE_EVERY)
    return saves, failed


def _line(
    sent: int, counted: int, result: dict[str, Any], saves: list[float], failed: int
) -> Line:
    locks = result["locks"]
    lock, rss = percentile(locks, 99), result["rss_mb"]
    saved = f"{len(saves)} saves, {failed} failed, p99 {percentile(saves, 99):.3f} s"
    return Line(
        what=f"{spaced(sent)} waiting events",
        peers="",
        ours=f"{spaced(sent / result['seconds'])} events/s, RSS {rss:.0f} MB, "
        f"lock p99 {lock * 1000:.0f} ms of {len(locks)}, {saved}",
        target=f"RSS ≤ {RSS_LIMIT} MB, lock p99 ≤ {LOCK_LIMIT * 1000:.0f} ms, no "
        "save fails",
        reached=sent == counted
        and rss <= RSS_LIMIT
        and lock <= LOCK_LIMIT
        and not failed,
        verified=report.counts(sent, counted),
    )


def drain(folder: str) -> None:
    """The child: drains what waits; one line of JSON."""
    enter(folder, f"unix://{folder}/redis.sock")
    from analytics.conf import get_stream
    from analytics.rollup.drain import Drain

    worker = Drain(get_stream(timeout=10))
    locks: list[float] = []
    started = time.perf_counter()
    while worker.run().events:
        locks += worker.lock_seconds
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "locks": locks, "rss_mb": _peak_mb()}))


def _peak_mb() -> float:
    """The largest resident memory this process ever had. Linux only."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        drain(sys.argv[2])
    else:
        report.main(measure)
