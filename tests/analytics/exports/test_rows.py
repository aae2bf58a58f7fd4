"""The rows of an export are all those of the list, in its order."""

import pytest
from django.contrib import admin

from analytics.models import Audience, Rollup
from analytics.reporting import stored
from analytics.reporting.exports import COLUMNS
from analytics.rollup.buckets import Grain
from tests.analytics.exports.making import (
    FORMATS,
    content,
    export,
    post,
    rollup,
    rows_of,
    sheet,
)

pytestmark = pytest.mark.django_db


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
