"""Exports of rollups: all rows of the list, right types, and never half a file."""

import csv
import io
import json
import re
import tempfile
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection, connections
from django.urls import reverse
from openpyxl import load_workbook

from analytics.models import Audience, Rollup, Writer
from analytics.reporting import exports, stored, workbooks
from analytics.reporting.exports import COLUMNS
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import Dimension, Label
from analytics.rollup.fold import Measures
from analytics.rollup.sketches import Histogram, Visitors
from analytics.rollup.store import save_rows

pytestmark = pytest.mark.django_db
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


@pytest.fixture
def member(client):
    """Signs in a member of the staff who has just these permissions."""

    def sign_in(*codenames):
        user = User.objects.create_user("member", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(stored, "BATCH_ROWS", 2)


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    """The folder of temporary files, which is empty in the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def described(monkeypatch):
    """A dimension whose keys have labels; the keys that were asked for."""
    asked = []

    def describe(keys):
        asked.append(sorted(keys))
        return {key: Label(f"={key}", "/") for key in keys if key != "nameless"}

    dimension = Dimension(
        name="thing", label="Thing", key=lambda event: None, describe=describe
    )
    monkeypatch.setattr(exports, "get_dimensions", lambda: (dimension,))
    return asked


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


# Which rows.


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [3, 2, 1, 0]),
        ("dimension=method", [1]),
        ("audience__exact=1", [2]),
        ("grain__exact=2", [3]),
        ("q=shop", [3, 2, 0]),
        ("q=shop&audience__exact=0", [3, 0]),
        ("bucket__gte=2026-07-01T12:00:00Z", [3, 2]),
        ("q=nothing", []),
        ("o=5", [0, 1, 2, 3]),
        ("p=2", [3, 2, 1, 0]),
    ],
)
def test_rows_of_the_list_in_its_order(admin_client, format, query, numbers):
    rollup(0)
    rollup(1, dimension="method", key="GET")
    rollup(2, audience=Audience.BOTS)
    rollup(3, grain=int(Grain.DAY))
    found = export(admin_client, format, query)
    assert [int(row["requests"]) - 12_430 for row in found] == numbers


@pytest.mark.parametrize("format", FORMATS)
def test_all_pages_are_exported(admin_client, small_batches, format):
    for number in range(7):
        rollup(number)
    page = admin.site.get_model_admin(Rollup).list_per_page
    extra = [rollup(n, dimension="method") for n in range(page)]
    assert len(export(admin_client, format)) == 7 + len(extra)


def test_rows_far_apart_and_rows_that_go_meanwhile(admin_client, small_batches):
    rows = [rollup(number) for number in range(40)]
    kept = {rows[n].pk for n in (0, 1, 20, 33, 39)}
    Rollup.objects.exclude(pk__in=kept).delete()
    batches = stored._by_key(Rollup.objects.order_by("-pk"))
    found = next(batches)
    Rollup.objects.filter(pk=rows[20].pk).delete()
    found += [row for batch in batches for row in batch]
    assert [row[0] for row in found] == sorted(kept - {rows[20].pk}, reverse=True)


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_to_export(admin_client, format):
    data = content(post(admin_client, format))
    assert rows_of(format, data) == []
    if format == "xlsx":
        assert [cell.value for cell in sheet(data)[1]] == list(COLUMNS)
    if format == "csv":
        assert data.decode() == ",".join(COLUMNS) + "\r\n"


# What is in them.


def test_values_and_types_of_json(admin_client, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    row = rollup()
    (found,) = export(admin_client, "json")
    assert tuple(found) == COLUMNS
    assert found == {
        "site": "test",
        "dimension": "route",
        "key": "/shop/",
        "label": None,
        "audience": "people",
        "grain": "hour",
        "bucket": "2026-07-01T12:00:00+02:00",
        "requests": 12_430,
        "views": 400,
        "errors": 7,
        "bytes": 5 * 1024 * 1024,
        "duration_us": 12_430 * 2_000,
        "visitors": row.visitors.estimate(),
        "p50_us": round(row.latency.percentile(50), 1),
        "p95_us": round(row.latency.percentile(95), 1),
    }


def test_values_of_csv_are_those_of_json(admin_client):
    rollup()
    rollup(1, dimension="method", latency=Histogram(), visitors=Visitors())
    in_json = export(admin_client, "json")
    texts = [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in in_json
    ]
    assert export(admin_client, "csv") == texts
    assert texts[0]["visitors"] == texts[0]["p95_us"] == ""


def test_types_of_a_workbook(admin_client, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    rollup(key="12")
    (row,) = cells(content(post(admin_client, "xlsx")))
    types = {name: cell.data_type for name, cell in row.items()}
    texts = ("site", "dimension", "key", "audience", "grain")
    assert {name for name, kind in types.items() if kind == "s"} == set(texts)
    assert types.pop("bucket") == "d"
    assert row["bucket"].value == datetime(2026, 7, 1, 12)
    numbers = {name for name in types if name not in (*texts, "label")}
    assert {types[name] for name in numbers} == {"n"}
    assert all(isinstance(row[name].value, int | float) for name in numbers)


def test_the_hour_that_comes_twice_has_two_offsets(admin_client, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    first = datetime(2026, 10, 25, 0, tzinfo=UTC)
    rollup(bucket=first)
    rollup(bucket=first + timedelta(hours=1))
    found = [row["bucket"] for row in export(admin_client, "csv")]
    assert found == ["2026-10-25T02:00:00+01:00", "2026-10-25T02:00:00+02:00"]


@pytest.mark.parametrize("count", [0, 1, 768, 3_000])
def test_numbers_are_those_of_the_list(admin_client, count):
    people = Visitors()
    people.add_many(range(count))
    row = rollup(latency=Histogram.of(range(count)), visitors=people)
    (found,) = export(admin_client, "json")
    assert found["visitors"] == (row.visitors.estimate() if count else None)
    expected = row.latency.percentile(95)
    assert found["p95_us"] == (None if expected is None else round(expected, 1))


@pytest.mark.parametrize("format", FORMATS)
def test_labels_are_asked_for_in_batches_and_once(
    admin_client, described, small_batches, format
):
    for number, key in enumerate("ab"):
        rollup(number, dimension="thing", key=key)
    rollup(2, dimension="thing", key="nameless")
    rollup(3, dimension="thing", key="a")
    rollup(4, dimension="route", key="a")
    found = {row["bucket"]: row["label"] for row in export(admin_client, format)}
    sign = "'=" if format == "csv" else "="
    nothing = "" if format == "csv" else None
    expected = [f"{sign}a", f"{sign}b", nothing, f"{sign}a", nothing]
    assert list(found.values())[::-1] == expected
    assert sorted(key for keys in described for key in keys) == ["a", "b", "nameless"]
    assert len(described) <= 3


def test_formulas_in_csv_have_a_quote(admin_client):
    for number, key in enumerate(HOSTILE):
        rollup(number, key=key)
    found = [row["key"] for row in export(admin_client, "csv")][::-1]
    assert found[:7] == ["'" + key for key in HOSTILE[:7]]
    assert found[7:] == ["#REF!", "''=1", HOSTILE[-1]]


def test_formulas_in_json_are_what_they_are(admin_client):
    for number, key in enumerate(HOSTILE):
        rollup(number, key=key)
    found = [row["key"] for row in export(admin_client, "json")]
    assert found[::-1] == list(HOSTILE)


def test_formulas_in_a_workbook_are_texts(admin_client):
    for number, key in enumerate(HOSTILE):
        rollup(number, key=key)
    found = [row["key"] for row in cells(content(post(admin_client, "xlsx")))][::-1]
    assert {cell.data_type for cell in found} == {"s"}
    assert [cell.value for cell in found[:-1]] == list(HOSTILE[:-1])
    assert [cell.quotePrefix for cell in found[:7]] == [True] * 7


def test_what_no_workbook_can_hold_is_seen_to_be_replaced(admin_client):
    rollup(key="a\x01b\uffff")
    (row,) = export(admin_client, "xlsx")
    assert row["key"] == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"


# Half a file is no file.


def damage(row):
    with connection.cursor() as cursor:
        damaged = connection.Database.Binary(b"\xff\x00")
        sql = "UPDATE analytics_rollup SET latency = %s WHERE id = %s"
        cursor.execute(sql, [damaged, row.pk])


@pytest.mark.parametrize("format", STREAMED)
def test_an_error_on_the_way_breaks_the_stream_off(admin_client, small_batches, format):
    rows = [rollup(number) for number in range(6)]
    damage(rows[1])
    stream = iter(post(admin_client, format).streaming_content)
    sent = [next(stream), next(stream)]
    with pytest.raises(ValueError, match="histogram"):
        next(stream)
    if format == "json":
        with pytest.raises(json.JSONDecodeError):
            json.loads(b"".join(sent))


@pytest.mark.parametrize("format", FORMATS)
def test_an_error_at_once_is_an_error_page(admin_client, format, temporary):
    damage(rollup())
    admin_client.raise_request_exception = False
    response = post(admin_client, format)
    assert response.status_code == 500
    assert "Content-Disposition" not in response


@pytest.mark.parametrize("cap", ["ROWS", "SHEET_ROWS"])
def test_a_workbook_that_cannot_hold_all_is_refused(admin_client, monkeypatch, cap):
    monkeypatch.setattr(workbooks, cap, 2)
    for number in range(3):
        rollup(number)
    response = post(admin_client, "xlsx", "q=shop&o=5&p=1")
    assert response.url == reverse(LIST) + "?q=shop&o=5"
    (message,) = admin_client.get(response.url).context["messages"]
    assert "more than 2 rows" in str(message)
    assert "Take CSV" in str(message)
    assert not LogEntry.objects.exists()
    assert len(export(admin_client, "csv")) == 3
    assert len(export(admin_client, "xlsx", "bucket__gt=2026-07-01T10:00:00Z")) == 2


def test_rows_that_come_after_the_count_are_not_left_out(monkeypatch, temporary):
    monkeypatch.setattr(workbooks, "verify_size", lambda rows: None)
    monkeypatch.setattr(workbooks, "SHEET_ROWS", 2)
    for number in range(3):
        rollup(number)
    with pytest.raises(workbooks.TooManyRows):
        next(workbooks.xlsx_chunks(Rollup.objects.order_by("pk")))


def test_temporary_files_are_private_and_go(monkeypatch, temporary):
    rollup()
    seen = []
    whole = workbooks.exported

    def watched(*arguments, **options):
        files = list(Path(tempfile.gettempdir()).iterdir())
        seen.extend(file.stat().st_mode & 0o777 for file in files)
        yield from whole(*arguments, **options)

    monkeypatch.setattr(workbooks, "exported", watched)
    chunks = workbooks.xlsx_chunks(Rollup.objects.order_by("pk"))
    assert next(chunks).startswith(b"PK")
    assert seen == [0o600]
    chunks.close()


@pytest.mark.parametrize("format", FORMATS)
def test_who_leaves_ends_the_export(admin_client, small_batches, temporary, format):
    for number in range(9):
        rollup(number)
    response = post(admin_client, format)
    stream = iter(response.streaming_content)
    assert next(stream)
    response.close()
    assert list(stream) == []


# Others meanwhile.


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("format", STREAMED)
def test_a_download_keeps_no_writer_waiting(admin_client, small_batches, format):
    rows = [rollup(number) for number in range(9)]
    stream = iter(post(admin_client, format).streaming_content)
    parts = [next(stream), next(stream)]
    written = []

    def write():
        try:
            written.append(Rollup.objects.filter(pk=rows[0].pk).update(views=1))
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(20)
    assert written == [1]
    assert len(rows_of(format, b"".join([*parts, *stream]))) == 9


@pytest.mark.parametrize("format", STREAMED)
def test_memory_does_not_grow_with_the_rows(format):
    whole = {}
    for number in range(20_000):
        measures = Measures(requests=1)
        measures.latency = Histogram.of(range(0, 3_000, 60 + number % 7))
        start = int(TEN.timestamp()) + 3_600 * number
        whole["route", 1, start, f"/{number}/", 0] = measures
    save_rows("test", whole)
    whole.clear()
    chunks = {"csv": exports.csv_chunks, "json": exports.json_chunks}[format]
    tracemalloc.start()
    try:
        sent = sum(map(len, chunks(Rollup.objects.order_by("-pk"))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent > 1_500_000
    assert peak < 8_000_000


def test_asynchronous_servers_stream_too(async_client, admin_user, small_batches):
    for number in range(5):
        rollup(number)

    async def ask():
        await async_client.aforce_login(admin_user)
        address = reverse("admin:analytics_rollup_export")
        response = await async_client.post(address, {"format": "csv"})
        assert response.is_async
        return [chunk async for chunk in response]

    chunks = async_to_sync(ask)()
    assert len(chunks) == 3
    assert len(lines(b"".join(chunks))) == 5


# Who may, and what stays of it.


@pytest.mark.parametrize("format", FORMATS)
def test_exports_need_both_permissions(client, member, format):
    assert post(client, format).status_code == 302
    browser = member("view_rollup")
    assert post(browser, format).status_code == 403
    user = User.objects.get(username="member")
    user.user_permissions.set(Permission.objects.filter(codename="export_rollup"))
    assert post(browser, format).status_code == 403
    assert not LogEntry.objects.exists()


def test_buttons_are_for_those_who_may(member):
    rollup()
    browser = member("view_rollup")
    assert b"Export CSV" not in browser.get(reverse(LIST)).content
    added = Permission.objects.get(codename="export_rollup")
    User.objects.get(username="member").user_permissions.add(added)
    page = browser.get(reverse(LIST) + "?q=shop&dimension=route&p=1&o=5").content
    for name in (b"CSV", b"XLSX", b"JSON"):
        assert b"Export " + name in page
    (action,) = re.findall(r'action="([^"]+/export/[^"]*)"', page.decode())
    assert action.endswith("/export/?q=shop&amp;dimension=route&amp;o=5")
    assert content(post(browser, "csv"))


def test_an_export_is_a_post_with_a_token(admin_user, client):
    client.force_login(admin_user)
    assert client.get(reverse("admin:analytics_rollup_export")).status_code == 405
    client.handler.enforce_csrf_checks = True
    assert post(client, "csv").status_code == 403
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("format", ["", "html", "CSV", "0"])
def test_other_formats_are_refused(admin_client, format):
    assert post(admin_client, format).status_code == 400


@pytest.mark.parametrize(
    "query", ["nonsense=1", "grain__exact=x", "visitors__password=1", "bucket__gte=x"]
)
def test_filters_that_the_list_does_not_have_are_refused(admin_client, query):
    rollup()
    assert post(admin_client, "csv", query).status_code == 400
    assert not LogEntry.objects.exists()


def test_without_openpyxl_there_is_no_workbook(admin_client, monkeypatch):
    monkeypatch.setattr(workbooks, "available", lambda: False)
    assert b"XLSX" not in admin_client.get(reverse(LIST)).content
    assert post(admin_client, "xlsx").status_code == 400


def test_an_export_is_written_down(admin_client, admin_user):
    rollup()
    content(post(admin_client, "csv", "dimension=route&q=%3Cb%3E&p=3"))
    entry = LogEntry.objects.get()
    assert entry.user == admin_user
    assert entry.content_type.model_class() is Rollup
    assert entry.get_change_message() == "Exported as CSV: dimension=route&q=%3Cb%3E."
    content(post(admin_client, "json"))
    assert LogEntry.objects.first().change_message == "Exported as JSON: no filter."
    assert admin_client.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "rollups-shop-"),
        ("dimension=route&grain__exact=2", "rollups-shop-route-day-"),
        ("audience__exact=1&q=secret", "rollups-shop-bots-filtered-"),
        ("o=1&p=1", "rollups-shop-"),
        ("site=../../etc", "rollups-etc-"),
    ],
)
def test_the_name_says_what_is_in_it(admin_client, query, name):
    Writer.objects.create(site="shop", time_zone="UTC")
    response = post(admin_client, "csv", query)
    pattern = rf'attachment; filename="{name}\d{{4}}-\d\d-\d\d\.csv"'
    assert re.fullmatch(pattern, response["Content-Disposition"])


@pytest.mark.parametrize("format", FORMATS)
def test_headers(admin_client, format):
    response = post(admin_client, format)
    kinds = {"csv": "text/csv", "json": "application/json", "xlsx": "spreadsheetml"}
    assert kinds[format] in response["Content-Type"]
    assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment; ")
    content(response)
