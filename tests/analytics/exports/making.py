"""Rollups to export, and what is in a file of them."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

from django.urls import reverse
from openpyxl import load_workbook

from analytics.models import Audience, Rollup
from analytics.rollup.buckets import Grain
from analytics.rollup.sketches import Histogram, Visitors

FORMATS = ("csv", "xlsx", "json")
STREAMED = ("csv", "json")
LIST = "admin:analytics_rollup_changelist"
TEN = datetime(2026, 7, 1, 10, tzinfo=UTC)
HOSTILE = (
    "=1+1",
    "==1+1",
    " =1",
    "+1",
    "-1",
    "@x",
    "＝1",
    "#REF!",
    "'=1",
    'a,"b"\r\n;c',
)


def rollup(number=0, **values):
    people = Visitors()
    people.add_many(range(1, 4 + number))
    row = {
        "site": "test",
        "dimension": "route",
        "grain": int(Grain.HOUR),
        "bucket": TEN + timedelta(hours=number),
        "key": "/shop/",
        "audience": Audience.PEOPLE,
        "requests": 12_430 + number,
        "views": 400,
        "errors": 7,
        "bytes": 5 * 1024 * 1024,
        "duration": 12_430 * 2_000,
        "latency": Histogram.of([2_000 + 100 * number] * 90 + [15] * 10),
        "visitors": people,
    }
    return Rollup.objects.create(**(row | values))


def post(browser, format, query=""):
    address = reverse("admin:analytics_rollup_export")
    return browser.post(f"{address}?{query}", {"format": format})


def content(response):
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def lines(data):
    """The rows of a CSV as dicts of texts."""
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def sheet(data):
    return load_workbook(io.BytesIO(data))["rollups"]


def cells(data):
    """The rows of a workbook as dicts of cells."""
    names, *rows = sheet(data).iter_rows()
    return [dict(zip((c.value for c in names), row, strict=True)) for row in rows]


def rows_of(format, data):
    """The rows of an export as dicts; nothing is None, or in CSV an empty text."""
    if format == "csv":
        return lines(data)
    if format == "json":
        return json.loads(data)
    return [{name: c.value for name, c in row.items()} for row in cells(data)]


def export(browser, format, query=""):
    return rows_of(format, content(post(browser, format, query)))
