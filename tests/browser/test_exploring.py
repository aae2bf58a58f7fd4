"""Somebody explores two months of visits, in a real browser on the real site.

From a card to all keys, to one of them, to other days, and away with a file of what is
on the screen; and a superuser says how long rows are kept.
"""

import csv
import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from tests.browser.conftest import SIZES, watch
from tests.running import RunningSite, running_site

pytestmark = [pytest.mark.browser, pytest.mark.acceptance]

DEMO = ("demo", "--days", "70", "--visits", "60", "--verbosity", "0")
EXPLORE = "/admin/analytics/rollup/explore/"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("site")) as running:
        running.manage(*DEMO)
        yield running


@pytest.fixture
def staff(chromium, site) -> Iterator:
    """A superuser's browser; nothing may go wrong in it."""
    context = chromium.new_context(
        base_url=site.address, viewport=SIZES["desktop"], accept_downloads=True
    )
    page = context.new_page()
    page.goto("/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", site.password)
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    page.complaints = []
    watch(page, site.address)
    yield page
    assert page.complaints == []
    context.close()


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def choose(page, menu: str, choice: str) -> None:
    """Open one of the menus, and follow a link of it."""
    page.click(f"details.analytics-custom summary:has-text('{menu}')")
    page.click(f"details[open] a:text-is('{choice}')")


def shown(page) -> list[tuple[str, int, int, int]]:
    """The table: name, views, requests, errors."""
    script = """rows => rows.map(row => [
        row.querySelector("th a").textContent,
        ...[...row.querySelectorAll("td")].slice(0, 3).map(cell => cell.textContent),
    ])"""
    rows = page.eval_on_selector_all(".analytics-keys tbody tr", script)
    return [(name, *map(number, numbers)) for name, *numbers in rows]


def every_key(page) -> list[tuple[str, int, int]]:
    """What the query module says of the page's address, all of its pages."""
    query, found, pages, place = page.url.partition("?")[2], [], 1, 0
    while place < pages:
        place += 1
        answer = page.request.get(f"{EXPLORE}data/?{query}&page={place}").json()
        pages = answer["pages"]
        found += [(r["key"], r["value"], r["before"]) for r in answer["rows"]]
    return found


def taken_away(page, folder: Path) -> list[dict[str, str]]:
    """The rows of the file that *Export CSV* gives."""
    with page.expect_download() as download:
        page.click("text=Export CSV")
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return list(csv.DictReader(StringIO(file.read_text(), newline="")))


def test_from_a_card_to_one_product_and_to_last_month(staff, tmp_path):
    staff.goto("/admin/")
    staff.click("text=90 days")
    staff.click("#analytics-cards h2 >> text=Routes")
    assert "range=90" in staff.url
    assert staff.inner_text(".analytics-finder summary") == "Route"
    choose(staff, "Route", "Browser")
    assert {name for name, *_ in shown(staff)} > {"Firefox"}
    choose(staff, "Browser", "Country")
    assert "Countries are not known on this site" in staff.inner_text("main")
    choose(staff, "Country", "Product")
    staff.fill("[name=q]", "lamp")
    staff.press("[name=q]", "Enter")
    staff.wait_for_url("**q=lamp*")
    assert all("lamp" in name.lower() for name, *_ in shown(staff))
    name, views, *_ = shown(staff)[0]
    staff.click(f".analytics-keys >> text='{name}'")
    assert staff.inner_text("#content h1") == name
    assert number(staff.inner_text("[data-tile=views] strong")) == views
    choose(staff, "Other days", "Last month")
    choose(staff, "vs. the time before", "a year before")
    assert "range=last-month" in staff.url
    assert "compare=year" in staff.url
    assert staff.inner_text("#content h1") == name
    staff.go_back()
    assert "compare=year" not in staff.url
    assert "range=last-month" in staff.url
    staff.click("text=Open it")
    assert staff.input_value("#id_name") == name


def test_the_file_is_what_the_page_and_the_query_module_say(staff, tmp_path):
    staff.goto(f"{EXPLORE}?dimension=product&range=last-month&compare=before")
    found = number(staff.inner_text(".analytics-keys thead .analytics-quiet"))
    page = shown(staff)
    asked = every_key(staff)
    rows = taken_away(staff, tmp_path)
    assert len(rows) == found == len(asked) > len(page)
    sums = ("views", "requests", "errors")
    assert [
        (row["label"], *(int(row[name]) for name in sums)) for row in rows[: len(page)]
    ] == page
    assert [
        (row["key"], int(row["views"]), int(row["before"])) for row in rows
    ] == asked


def test_a_superuser_changes_how_long_rows_are_kept(staff, site):
    staff.goto("/admin/analytics/retention/")
    staff.click("[aria-label='Route, hour']")
    staff.fill("[name=days]", "30")
    staff.click("text=Show what would go")
    assert "With 30 days it deletes" in staff.inner_text("dl.analytics-totals")
    assert number(staff.inner_text(".asked dd >> nth=0")) > 100
    staff.click("text=Save")
    staff.wait_for_selector(".messagelist .success")
    row = staff.locator("tr", has=staff.locator("[aria-label='Route, hour']"))
    assert row.locator("strong").inner_text() == "30 days"
    staff.goto("/admin/analytics/retention/privacy/")
    assert "hour 30 days" in staff.inner_text("main")
    assert json.loads(site.manage("analytics_status", "--json"))["lost"] == 0
