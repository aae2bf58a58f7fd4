"""What an export says of a row: right types, names, and no formulas."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.reporting.exports import COLUMNS
from analytics.rollup.sketches import Histogram, Visitors
from tests.analytics.exports.making import (
    FORMATS,
    HOSTILE,
    cells,
    content,
    export,
    post,
    rollup,
)

pytestmark = pytest.mark.django_db


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
