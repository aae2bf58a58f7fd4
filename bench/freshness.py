"""From the response to the number: how long until a request is in the tables.

Starts the whole site as ``make run`` does, sends single requests at random moments,
and watches the database. Verifies that each was counted, and once.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from . import report
from .report import Line, percentile, progress
from .workspace import environment

START_SECONDS = 60.0
PAUSE_SECONDS = (0.2, 1.2)
GIVE_UP_SECONDS = 30.0
TARGET = 4.0
TOTAL = (
    "SELECT COALESCE(SUM(requests), 0) FROM analytics_rollup "
    "WHERE dimension = 'total' AND grain = 2"
)


def measure(quick: bool) -> Iterator[Line]:
    count = 10 if quick else 100
    progress(f"response to number: {count} single requests")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _site(folder) as url:
        database = Path(folder) / "db.sqlite3"
        _wait_for(url)
        _settle(database)
        before = _total(database)
        seconds = _delays(url, database, count, before)
        counted = _total(database) - before
    p95 = percentile(seconds, 95) if seconds else float("inf")
    yield Line(
        what="response to number in the table, p95 of single requests, `make run`",
        peers="",
        ours=f"{p95:.1f} s (p50 {percentile(seconds or [p95], 50):.1f} s)",
        target=f"≤ {TARGET:.0f} s",
        reached=counted == count == len(seconds) and p95 <= TARGET,
        verified=report.counts(count, counted),
    )


@contextmanager
def _site(folder: str) -> Iterator[str]:
    """`make run` on a free port and an empty folder; ended as Ctrl-C would."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(Path(folder) / "output", "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.run"],
            env=os.environ | environment(folder) | {"PORT": str(port)},
            stdout=output,
            stderr=output,
        )
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _get(url)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _get(url: str) -> None:
    # The address is our own, not a user's.
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310
        response.read()


def _total(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(TOTAL).fetchone()[0]


def _settle(database: Path) -> None:
    """Until the request that found the site up is counted: the drain is at work."""
    deadline = time.monotonic() + START_SECONDS
    while not _total(database) and time.monotonic() < deadline:
        time.sleep(0.2)


def _delays(url: str, database: Path, count: int, before: int) -> list[float]:
    """Seconds from each response until the total had grown by it."""
    rng = random.Random(7)
    answered: list[float] = []
    seconds: list[float] = []
    due = last = time.monotonic()
    while len(seconds) < count and time.monotonic() - last < GIVE_UP_SECONDS:
        if len(answered) < count and time.monotonic() >= due:
            _get(url)
            last = time.monotonic()
            answered.append(last)
            due = last + rng.uniform(*PAUSE_SECONDS)
        time.sleep(0.02)
        now, counted = time.monotonic(), _total(database) - before
        seconds += [now - answered[n] for n in range(len(seconds), counted)]
    return seconds


if __name__ == "__main__":
    report.main(measure)
