"""What each function of the query module takes on a year of data, on both databases.

A child process for each database fills it with the same year, by the real fold, and
asks each function for three periods: the median milliseconds, and the SQL queries.
PostgreSQL is the embedded one. Verifies that what was made was counted.
"""

from __future__ import annotations

import datetime
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from . import report
from .report import Line, progress, spaced
from .workspace import workspace

REQUESTS = 500_000
QUICK_REQUESTS = 20_000
TIMES = 7
LIMIT_MS = 500
DAYS = (30, 90, 365)
ROUTE = "/shop/section-0/<int:page>/part-0/"
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "totals": ("totals", {}),
    "totals of a route": ("totals", {"dimension": "route", "key": ROUTE}),
    "series of views": ("series", {"measure": "views"}),
    "series of visitors": ("series", {"measure": "visitors"}),
    "series of p95": ("series", {"measure": "p95"}),
    "compare": ("compare", {}),
    "visitors": ("visitors", {}),
    "visitors of a route": ("visitors", {"dimension": "route", "key": ROUTE}),
    "percentiles": ("percentiles", {}),
    "histogram": ("histogram", {}),
    "top routes": ("top", {"dimension": "route", "measure": "requests"}),
    "top products": ("top", {"dimension": "product"}),
    "top products compared": ("top", {"dimension": "product", "before": True}),
    "top products searched": ("top", {"dimension": "product", "search": "product 12"}),
    "top routes searched": ("top", {"dimension": "route", "search": "section-3"}),
    "top product × referrer": ("top", {"dimension": "product_referrer"}),
    "every product": ("every", {"dimension": "product"}),
    "per_key of 100 products": (
        "per_key",
        {"dimension": "product", "keys": tuple(map(str, range(1, 101)))},
    ),
}
"""What a line is called -> the function of the query module, and its words."""


def measure(quick: bool) -> Iterator[Line]:
    from tests.acceptance.databases import PostgresServer

    server = PostgresServer()
    try:
        for database in ("", server.make(name="bench").url):
            command = [sys.executable, "-m", "bench.queries", "child", database]
            result = subprocess.run(
                command + ["quick"] * quick,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            yield from (Line(**json.loads(one)) for one in result.stdout.splitlines())
    finally:
        server.stop()


def ask(database: str, quick: bool) -> Iterator[Line]:
    """The child: fills one database, and asks it."""
    with workspace(database):
        from django.db import connection
        from django.test import override_settings

        from . import serving, year

        requests = QUICK_REQUESTS if quick else REQUESTS
        progress(f"queries: {spaced(requests)} requests of a year, {connection.vendor}")
        made = 0
        for events, hourly in year.days(requests):
            year.count(events, hourly)
            made += len(events)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        verified = report.counts(made, serving.total())
        where = f"{connection.vendor}, {spaced(year.rows())} rows"
        # Labels are links into the admin.
        with override_settings(ROOT_URLCONF="bench.admin_pages"):
            for what, (function, words) in ASKED.items():
                yield _line(what, where, _asker(function, words), verified, quick)


def _line(
    what: str, where: str, asker: Callable[[Any], Any], verified: str, quick: bool
) -> Line:
    from analytics.reporting import periods

    today = datetime.date.today()
    found = [
        _asked(
            asker,
            periods.between(today - datetime.timedelta(days=days - 1), today),
            3 if quick else TIMES,
        )
        for days in DAYS
    ]
    slowest = max(ms for ms, _ in found)
    return Line(
        what=f"{what}: {', '.join(map(str, DAYS))} days; {where}",
        peers="",
        ours=" · ".join(f"{ms:.1f} ms, {queries} SQL" for ms, queries in found),
        target=f"≤ {LIMIT_MS} ms",
        reached=slowest <= LIMIT_MS,
        verified=verified,
    )


def _asker(function: str, words: dict[str, Any]) -> Callable[[Any], Any]:
    from analytics.reporting import queries

    asked = getattr(queries, function)

    def ask_for(period: Any) -> Any:
        more = words
        if function == "compare" or "before" in words:
            more = words | {"before": period.previous()}
        found = asked(period=period, **more)
        return list(found) if function == "every" else found

    return ask_for


def _asked(asker: Callable[[Any], Any], period: Any, times: int) -> tuple[float, int]:
    """Milliseconds, the median of some times, and the number of SQL queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        asker(period)
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        asker(period)
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds), len(captured)


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        for line in ask(sys.argv[2], "quick" in sys.argv):
            print(json.dumps(asdict(line)), flush=True)
    else:
        report.main(measure)
