"""How fast rollups leave as CSV, and what memory that takes.

Fills the table as busy sites do, half of the rows with sketches, and reads what the
admin's export streams. The peer is import-export with a resource of the same columns.
Verifies that a line left for each row.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import report
from .report import Line, progress, spaced
from .workspace import enter, workspace

TARGET = 200_000
LIMIT_MB = 20
ROUTES = 250
KEYS = {"route": ROUTES, "status": 100, "method": 150}
"""Rows of an hour, by dimension; only the first has sketches."""
FIRST = 1_767_225_600


def measure(quick: bool) -> Iterator[Line]:
    count = 20_000 if quick else 1_000_000
    some = 5_000 if quick else 200_000
    with workspace() as valkey:
        progress(f"export: {spaced(count)} rows")
        fill(count)
        folder = str(valkey.folder.parent)
        ours = _child("ours", folder, count)
        progress(f"export: {spaced(some)} rows by import-export")
        peer = _child("peer", folder, some)
    rate = count / ours["seconds"]
    yield Line(
        what=f"CSV export of {spaced(count)} rollups",
        peers=f"import-export {spaced(some / peer['seconds'])} rows/s",
        ours=f"{spaced(rate)} rows/s, {spaced(count / ours['used'])} per second of "
        "processor",
        target=f"≥ {spaced(TARGET)} rows/s",
        reached=rate >= TARGET and ours["lines"] == count + 1,
        verified=f"{spaced(count)} rows, {spaced(ours['lines'] - 1)} lines",
    )
    yield Line(
        what="memory that the process grows by meanwhile",
        peers=f"{peer['grown']:.0f} MB for {spaced(some)} rows",
        ours=f"{ours['grown']:.0f} MB, to {ours['peak']:.0f} MB",
        target=f"≤ {LIMIT_MB} MB",
        reached=ours["grown"] <= LIMIT_MB,
        verified=f"{spaced(some)} rows, {spaced(peer['lines'] - 1)} lines of the peer",
    )


def _child(side: str, folder: str, count: int) -> dict[str, float]:
    """One side in a process of its own, whose memory the filling has not stretched."""
    command = [sys.executable, "-m", "bench.export", "child", side, folder, str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def export(side: str, folder: str, count: int) -> None:
    """The child: exports the newest ``count`` rows; one line of JSON."""
    enter(folder, f"unix://{folder}/redis.sock")
    from analytics.models import Rollup
    from analytics.reporting import exports

    rows = Rollup.objects.order_by("-pk")
    work: dict[str, Callable[[], int]] = {
        "ours": lambda: sum(chunk.count(b"\n") for chunk in exports.csv_chunks(rows)),
        "peer": _peer(rows[:count]),
    }
    before, started, used = _peak_mb(), time.perf_counter(), time.process_time()
    lines = work[side]()
    seconds, used = time.perf_counter() - started, time.process_time() - used
    peak = _peak_mb()
    result = {"lines": lines, "seconds": seconds, "used": used}
    print(json.dumps(result | {"grown": peak - before, "peak": peak}))


def fill(count: int) -> None:
    """``count`` rows: those of one site, and the same for others until it is enough."""
    from django.db import connection

    from analytics.rollup.store import MEASURES, UNIQUE, save_rows

    rng = random.Random(9)
    rows = {row: _measures(rng, row[0] == "route") for row in _rows(rng, count // 10)}
    save_rows("bench0", rows)
    columns = ", ".join(f'"{name}"' for name in (*UNIQUE, *MEASURES) if name != "site")
    # Put together from names of our own.
    copy = (
        f"INSERT INTO analytics_rollup (site, {columns}) SELECT %s, {columns} "  # noqa: S608
        "FROM analytics_rollup WHERE site = 'bench0' ORDER BY id"
    )
    with connection.cursor() as cursor:
        for number in range(1, 10):
            cursor.execute(copy, [f"bench{number}"])


def _rows(rng: random.Random, count: int) -> Iterator[tuple[Any, ...]]:
    names = [(name, key) for name, keys in KEYS.items() for key in range(keys)]
    for number in range(count):
        hour, place = divmod(number, len(names))
        name, key = names[place]
        audience = rng.choice((0, 0, 1)) if key else 0
        text = f"/shop/section-{key}/<slug:product>/" if name == "route" else str(key)
        yield name, 1, FIRST + 3_600 * hour, text, audience


def _measures(rng: random.Random, sketches: bool) -> Any:
    from analytics.rollup.fold import Measures

    requests = 1 + int(rng.expovariate(1 / 20))
    durations = [int(rng.lognormvariate(10, 0.7)) for _ in range(requests)]
    measures = Measures(requests, requests, 0, requests * 9_000, sum(durations))
    if sketches:
        measures.latency = type(measures.latency).of(durations)
        people = (rng.getrandbits(53) for _ in range(1 + requests * 2 // 3))
        measures.visitors.add_many(people)
    return measures


def _peak_mb() -> float:
    """The largest resident memory since this program was started. Linux only.

    What ``getrusage`` says begins with that of the parent.
    """
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _peer(rows: Any) -> Callable[[], int]:
    """Gives the lines of import-export's CSV."""
    exporter = _resource()()
    return lambda: exporter.export(rows).export("csv").count("\r\n")


def _resource() -> type:
    from import_export.fields import Field
    from import_export.resources import ModelResource

    from analytics.models import Rollup

    class RollupResource(ModelResource):
        estimate = Field(column_name="visitors")
        p50_us = Field()
        p95_us = Field()

        class Meta:
            model = Rollup
            exclude = ("id", "latency", "visitors")

        def dehydrate_estimate(self, row: Rollup) -> int:
            return row.visitors.estimate()

        def dehydrate_p50_us(self, row: Rollup) -> float | None:
            return row.latency.percentile(50)

        def dehydrate_p95_us(self, row: Rollup) -> float | None:
            return row.latency.percentile(95)

    return RollupResource


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        export(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        report.main(measure)
