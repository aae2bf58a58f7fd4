"""How fast the overview is on a year of data, beside the peers' pages.

The same requests of a year become our rollup rows, by the real fold, and the rows of
django-request, one for each. django-request shows them in its own overview;
django-admin-charts in a chart of requests by day. Pages are asked for in one process,
through all middleware, on SQLite. Verifies that ours and the peers' table count the
same requests.
"""

from __future__ import annotations

import datetime
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from . import report
from .report import Line, progress, spaced
from .workspace import workspace

ROWS = 1_000_000
TARGET_MS = 100
TARGET_QUERIES = 12
TIMES = 15


def measure(quick: bool) -> Iterator[Line]:
    requests = 20_000 if quick else 1_000_000
    with workspace():
        from django.test import override_settings

        from dashboard.settings import MIDDLEWARE

        from . import peer_rows, serving, year

        progress(f"overview: {spaced(requests)} requests of a year")
        peers = 0
        for events, hourly in year.days(requests):
            year.count(events, hourly)
            peers += peer_rows.save(events)
        rows = year.rows()
        verified = report.counts(peers, serving.total())
        _charts()
        with (
            override_settings(
                ROOT_URLCONF="bench.admin_pages", MIDDLEWARE=MIDDLEWARE[1:]
            ),
            # Ours refuses charts of tables that are not its own.
            patch("analytics.reporting.chart_rules.verify_chart"),
        ):
            found = dict(_pages(3 if quick else TIMES))
    yield from _compared(found, rows, verified)


def _compared(
    found: dict[str, tuple[float, int]], rows: int, verified: str
) -> Iterator[Line]:
    """Lines of what `_pages` found."""
    ours, queries = found["ours"]
    small = {
        name: f"{ms:.0f} ms, {number} queries" for name, (ms, number) in found.items()
    }
    yield Line(
        what=f"overview page, 30 of 365 days, {spaced(rows)} rollup rows, SQLite",
        peers=f"django-request {small['request']} · django-admin-charts, "
        f"one chart of its rows {small['chart']}",
        ours=small["ours"],
        target=f"≤ {TARGET_QUERIES} queries, ≤ {TARGET_MS} ms",
        reached=ours <= TARGET_MS and queries <= TARGET_QUERIES and rows >= ROWS,
        verified=verified,
    )
    yield Line(
        what="the same of 90 days; of a year; the JSON of its chart, 30 days",
        peers=f"django-request's traffic, 30 days: {small['traffic']}",
        ours=" · ".join(small[name] for name in ("quarter", "year", "json")),
        target="printed",
    )


def _charts() -> None:
    from admin_tools_stats.models import DashboardStats

    # Not through the form: that offers our own tables alone.
    DashboardStats.objects.bulk_create(
        [
            DashboardStats(
                graph_key="peer",
                graph_title="Requests",
                model_app_name="request",
                model_name="Request",
                date_field_name="time",
                type_operation_field_name="Count",
                default_time_period=30,
            )
        ]
    )


def _pages(times: int) -> Iterator[tuple[str, tuple[float, int]]]:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("bench"))
    today = datetime.date.today()
    chart = {
        "time_since": today - datetime.timedelta(days=30),
        "time_until": today,
        "select_box_interval": "days",
        "select_box_chart_type": "lineChart",
        "select_box_operation": "Count",
    }
    year = {"from": today - datetime.timedelta(days=364), "to": today}
    overview = "/admin/analytics/rollup/overview/"
    asked = (
        ("ours", overview, {}),
        ("quarter", overview, {"range": "90"}),
        ("year", overview, year),
        ("json", overview + "chart/", {}),
        ("request", "/admin/request/request/overview/", {}),
        ("traffic", "/admin/request/request/overview/traffic/", {"days": "30"}),
        ("chart", "/charts/chart_data/peer/", chart),
    )
    for name, address, words in asked:
        progress(f"overview: {address}")
        peer = name in ("request", "traffic", "chart")
        yield name, _asked(lambda a=address, w=words: client.get(a, w), times, peer)


def _asked(get: Callable[[], Any], times: int, peer: bool) -> tuple[float, int]:
    """Milliseconds, the median of some times, and the number of queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer = get()
        assert answer.status_code == 200, answer.status_code
    queries = len(captured)
    seconds = []
    for _ in range(max(3, times // 5) if peer else times):
        started = time.perf_counter()
        get()
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds), queries


if __name__ == "__main__":
    report.main(measure)
