"""Half a file is no file: what goes wrong on the way is seen by who downloads."""

import json
import tempfile
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.urls import reverse

from analytics.models import Rollup
from analytics.reporting import workbooks
from tests.analytics.exports.making import FORMATS, LIST, STREAMED, export, post, rollup

pytestmark = pytest.mark.django_db


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
