"""The download of what Explore shows: every key that is found, as the page has it."""

from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from analytics.reporting import key_exports, periods, queries, ranking, workbooks
from analytics.reporting.explore import PAGE_ROWS
from tests.analytics.exports.making import (
    FORMATS,
    HOSTILE,
    STREAMED,
    content,
    lines,
    rows_of,
)
from tests.analytics.reporting.traffic import BROWSER, at, counted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]


def views(**routes: int) -> None:
    """So many views of each route, today."""
    count_routes({f"/{name}/": count for name, count in routes.items()})


def count_routes(routes: dict[str, int]) -> None:
    counted(
        [
            at(timezone.now(), route=route, agent=BROWSER, visitor=1)
            for route, count in routes.items()
            for _ in range(count)
        ]
    )


def post(browser, format, **words):
    words = {"dimension": "route", "range": "7", **words}
    address = reverse("admin:analytics_explore_export", query=words)
    return browser.post(address, {"format": format})


def sheet_or_rows(format, data):
    if format != "xlsx":
        return rows_of(format, data)
    names, *found = load_workbook(BytesIO(data))["keys"].iter_rows(values_only=True)
    return [dict(zip(names, row, strict=True)) for row in found]


def export(browser, format, **words):
    return sheet_or_rows(format, content(post(browser, format, **words)))


@pytest.mark.parametrize("format", FORMATS)
def test_it_has_all_keys_as_the_query_module_says(admin_client, format, monkeypatch):
    monkeypatch.setattr(ranking, "BATCH_ROWS", 7)
    count_routes({f"/{place:03}/": 1 + place % 5 for place in range(PAGE_ROWS + 9)})
    found = export(admin_client, format)
    period = periods.last_days(7)
    top = queries.top(dimension="route", period=period, limit=1_000)
    assert len(found) == top.found == PAGE_ROWS + 9
    for row, expected in zip(found, top.rows, strict=True):
        assert (row["key"], int(row["views"])) == (expected.key, expected.views)
        assert int(row["requests"]) == expected.requests
        assert float(row["share_percent"]) == pytest.approx(expected.share, abs=1e-4)
        assert (row["from"], row["to"]) == (f"{period.first}", f"{period.last}")


@pytest.mark.parametrize("format", FORMATS)
def test_it_has_what_the_page_has(admin_client, format):
    views(shop=3, about=2, shoes=1)
    words = {"q": "sho", "by": "requests", "audience": "all", "compare": "year"}
    found = export(admin_client, format, **words)
    page = admin_client.get(
        reverse("admin:analytics_explore_data"),
        {"dimension": "route", "range": "7", **words},
    ).json()
    assert [row["key"] for row in found] == [row["key"] for row in page["rows"]]
    assert [row["key"] for row in found] == ["/shop/", "/shoes/"]
    assert {row["audience"] for row in found} == {"all"}
    assert {row["ranked_by"] for row in found} == {"requests"}
    assert [int(row["before"]) for row in found] == [0, 0]


@pytest.mark.parametrize("format", FORMATS)
def test_texts_are_safe_from_spreadsheets(admin_client, format):
    count_routes({text: 1 for text in HOSTILE if text.isprintable()})
    found = {row["key"] for row in export(admin_client, format)}
    quote = "'" if format == "csv" else ""
    assert f"{quote}=1+1" in found
    assert f"{quote}@x" in found


def test_products_are_named(admin_client, catalogue):
    shown = {"view": "products:detail", "kwargs": {"slug": "brass-pen"}}
    counted([at(timezone.now(), agent=BROWSER, **shown)])
    (row,) = export(admin_client, "json", dimension="product")
    assert row["label"] == "Brass Pen"


def test_nothing_found_is_a_file_without_rows(admin_client):
    assert content(post(admin_client, "json")) == b"[]\n"
    assert lines(content(post(admin_client, "csv"))) == []
    names = content(post(admin_client, "csv")).decode().strip().split(",")
    assert names == list(key_exports.COLUMNS)


@pytest.mark.parametrize("format", STREAMED)
def test_it_is_sent_while_it_is_made(admin_client, monkeypatch, temporary, format):
    monkeypatch.setattr(ranking, "BATCH_ROWS", 2)
    views(a=3, b=2, c=1)
    stream = iter(post(admin_client, format).streaming_content)
    assert b"/a/" in next(stream)
    assert b"/c/" in next(stream)
    list(stream)


def test_a_workbook_that_would_be_too_large_is_refused(admin_client, monkeypatch):
    monkeypatch.setattr(workbooks, "ROWS", 2)
    views(a=3, b=2, c=1)
    answer = post(admin_client, "xlsx")
    page = admin_client.get(answer["Location"])
    assert "Take CSV, which takes all" in page.text
    assert page.context["found"].search.dimension.name == "route"
    assert len(export(admin_client, "csv")) == 3
    assert LogEntry.objects.count() == 1


def test_it_needs_both_permissions(client, member):
    assert post(client, "csv").status_code == 302
    views(a=1)
    browser = member("view_rollup")
    page = reverse("admin:analytics_explore", query={"dimension": "route"})
    assert "Export CSV" not in browser.get(page).text
    assert post(browser, "csv").status_code == 403
    user = User.objects.get(username="member")
    export_rollup = Permission.objects.get(codename="export_rollup")
    user.user_permissions.set([export_rollup])
    assert post(browser, "csv").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_rollup"))
    assert "Export CSV" in browser.get(page).text
    assert len(export(browser, "csv")) == 1


def test_who_took_what_is_written_down(admin_client):
    views(a=1)
    answer = post(admin_client, "csv", q="a")
    name = answer["Content-Disposition"]
    first, last = (f"{day}" for day in _last_week())
    assert f'"route-people-{first}-{last}-a.csv"' in name
    assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
    content(answer)
    entry = LogEntry.objects.get()
    assert entry.object_repr == "Explore: Route"
    assert "Exported as CSV" in entry.change_message
    assert "q=a" in entry.change_message


def _last_week():
    period = periods.last_days(7)
    return period.first, period.last


@pytest.mark.parametrize(
    ("format", "words"), [("html", {}), ("", {}), ("csv", {"dimension": "nothing"})]
)
def test_what_makes_no_sense_is_refused(admin_client, format, words):
    assert post(admin_client, format, **words).status_code == 400
    assert not LogEntry.objects.exists()


def test_it_is_a_post_with_a_token(admin_user, client):
    client.force_login(admin_user)
    assert client.get(reverse("admin:analytics_explore_export")).status_code == 405
    client.handler.enforce_csrf_checks = True
    assert post(client, "csv").status_code == 403
