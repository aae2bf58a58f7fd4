"""The first morning, in a real browser on the real site: web, workers, beat, Valkey.

What somebody does in the shop shows up in the dashboard; what the dashboard draws is
what it writes in tables, and what the query module says.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from tests.browser.conftest import SIZES, watch
from tests.running import RunningSite, running_site

pytestmark = [pytest.mark.browser, pytest.mark.acceptance]

QUIET = 10
"""Tenths of a second."""
SOON = 10_000
"""Milliseconds in which a click has to become a number."""
OVERVIEW = "/admin/analytics/rollup/overview/"
NUMBER = "[data-tile={}] strong"
PERSON = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36"
)
"""By its own name a headless browser counts as a bot."""
PRODUCTS = "/admin/products/product/"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def visitor(chromium, site):
    """A browser that nobody signed in with."""
    context = chromium.new_context(
        base_url=site.address, viewport=SIZES["phone"], user_agent=PERSON
    )
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def session(chromium, site) -> dict:
    """What a browser keeps after signing in, as a person does."""
    context = chromium.new_context(base_url=site.address)
    page = context.new_page()
    page.goto("/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", site.password)
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def staff(chromium, site, session):
    """A signed-in browser; `complaints` collects what its console says."""
    context = chromium.new_context(
        base_url=site.address,
        viewport=SIZES["desktop"],
        storage_state=session,
        accept_downloads=True,
    )
    page = context.new_page()
    page.complaints = []
    watch(page, site.address)
    yield page
    assert page.complaints == []
    context.close()


def numbers(page, **words) -> dict:
    """The page's numbers as its JSON has them."""
    query = "&".join(f"{name}={value}" for name, value in words.items())
    answer = page.request.get(f"{OVERVIEW}numbers/?{query}")
    assert answer.ok, answer.status
    return answer.json()


def shown(page, tile: str) -> int:
    """The number on a tile."""
    return int(re.sub(r"\D", "", page.inner_text(NUMBER.format(tile))))


def wait_for_number(page, tile: str, value: int, timeout: float = SOON) -> None:
    """Until the tile says so: the page has to find out by itself."""
    page.wait_for_function(
        "([selector, value]) => document.querySelector(selector)"
        ".textContent.replace(/\\D/g, '') === String(value)",
        arg=[NUMBER.format(tile), value],
        timeout=timeout,
    )


def settled(page, **words) -> dict:
    """The numbers once nothing waits to be counted: a web process tells what it has
    recorded four times a second, so all has to be quiet for longer than that."""
    quiet, before = 0, None
    while quiet < QUIET:
        found = page.request.get(f"{OVERVIEW}waiting/").json()
        same = found["waiting"] == "0" and found["recorded"] == before
        quiet = quiet + 1 if same else 0
        before = found["recorded"]
        page.wait_for_timeout(100)
    return numbers(page, **words)


def test_a_click_in_the_shop_becomes_a_number_in_the_dashboard(staff, visitor):
    staff.goto(f"{OVERVIEW}?range=today")
    settled(staff)
    staff.reload()
    views, requests = shown(staff, "views"), shown(staff, "requests")
    visitor.goto("/")
    visitor.click("nav[aria-label=Main] a >> nth=0")
    visitor.click("ul.grid a >> nth=0")
    name = visitor.inner_text("h1")
    wait_for_number(staff, "views", views + 3)
    assert shown(staff, "requests") == requests + 3
    assert name in staff.inner_text("#analytics-cards")
    settled(staff)
    staff.reload()
    assert shown(staff, "views") == views + 3


def test_the_number_drawn_is_the_number_in_the_table_and_of_the_query_module(staff):
    settled(staff)
    staff.goto(f"{OVERVIEW}?range=today&measure=requests&audience=all")
    staff.wait_for_selector("figure[data-drawn]")
    staff.click("figure summary")
    page = json.loads(staff.evaluate(DRAWN))
    found = settled(staff, range="today", audience="all")
    assert page["drawn"] == page["table"]
    assert sum(filter(None, page["table"])) == int(
        re.sub(r"\D", "", found["tiles"]["requests"]["text"])
    )


DRAWN = """() => {
  const figure = document.querySelector("figure.analytics-chart");
  const chart = echarts.getInstanceByDom(figure.querySelector(".analytics-plot"));
  const drawn = chart.getOption().series[0].data;
  const cells = figure.querySelectorAll("tbody td:nth-child(2)");
  return JSON.stringify({
    drawn: drawn.map((value) => (value === "-" ? null : value)),
    table: [...cells].map(({ dataset: { value } }) => value ? Number(value) : null),
  });
}"""


def test_range_and_audience_are_in_the_address(staff):
    staff.goto("/admin/")
    staff.click("nav[aria-label=Period] >> text=7 days")
    staff.click("nav[aria-label=Audience] >> text=Bots")
    assert "range=7" in staff.url
    assert "audience=bots" in staff.url
    staff.click("[data-tile=visitors]")
    assert "measure=visitors" in staff.url
    assert "range=7" in staff.url
    assert staff.inner_text("figcaption") == "Visitors"


def test_any_two_days(staff):
    staff.goto(f"{OVERVIEW}?audience=all")
    staff.click("text=Other days")
    staff.fill("[name=from]", "2026-01-01")
    staff.fill("[name=to]", "2026-01-03")
    staff.click("text=Show >> nth=0")
    assert "from=2026-01-01" in staff.url
    assert "audience=all" in staff.url
    assert "1 – 3 Jan 2026" in staff.inner_text(".analytics-note")
    assert "Nothing was counted" in staff.inner_text("#analytics-numbers")


def test_what_waits_is_told_in_the_corner(staff):
    staff.goto(OVERVIEW)
    staff.wait_for_selector(".analytics-waiting[data-state=ok]")
    assert "0 lost" in staff.inner_text(".analytics-waiting")


def test_a_price_is_changed_in_the_list_and_shown_in_the_shop(staff, visitor):
    staff.goto(f"{PRODUCTS}?q=Brass+Pen")
    staff.fill("[name=form-0-price]", "25.50")
    staff.click("[name=_save]")
    staff.wait_for_selector(".messagelist .success")
    visitor.goto("/products/brass-pen/")
    assert "25.50" in visitor.inner_text("main")


def test_a_renamed_product_keeps_its_address_and_its_views(staff, visitor):
    visitor.goto("/products/rain-cape/")
    settled(staff)
    views = row_of(staff, "Rain Cape")
    assert views > 0
    staff.goto(f"{PRODUCTS}?q=Rain+Cape")
    staff.click("#result_list tbody th a")
    staff.fill("[name=name]", "Storm Cape")
    staff.fill("[name=slug]", "storm-cape")
    staff.click("[name=_save]")
    staff.wait_for_selector(".messagelist .success")
    visitor.goto("/products/rain-cape/")
    assert visitor.url.endswith("/products/storm-cape/")
    settled(staff)
    assert row_of(staff, "Storm Cape") == views + 1


def row_of(page, name: str) -> int:
    """The views of seven days, as the list of products has them."""
    page.goto(f"{PRODUCTS}?q={name}")
    return int(page.inner_text("#result_list .field-recent_views"))


def test_an_import_shows_what_it_would_do_and_then_does_it(staff):
    rows = "sku,name,slug,category,price,stock\n"
    rows += "PG-0002,,,,13.75,7\nNEW-1,Tin Whistle,tin-whistle,outdoor,8.00,3\n"
    staff.goto(f"{PRODUCTS}import/")
    file = {"name": "prices.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    staff.set_input_files("[type=file]", file)
    staff.click("text=Show preview")
    assert re.findall(r"(\d+)\s+(new|updated)", staff.inner_text(".counts")) == [
        ("1", "new"),
        ("1", "updated"),
    ]
    assert "13.75" in staff.inner_text("tr.update")
    assert staff.request.get("/products/tin-whistle/").status == 404
    staff.click("[name=confirm]")
    staff.wait_for_selector(".messagelist .success")
    assert staff.request.get("/products/tin-whistle/").ok
    staff.goto(f"{PRODUCTS}?q=PG-0002")
    assert staff.input_value("[name=form-0-price]") == "13.75"


@pytest.mark.parametrize("kind", ["CSV", "XLSX", "JSON"])
def test_what_is_exported_parses_and_says_what_the_page_says(staff, kind, tmp_path):
    settled(staff)
    staff.goto("/admin/analytics/rollup/?dimension=total&grain=2")
    with staff.expect_download() as download:
        staff.click(f"text=Export {kind}")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    exported = sum(int(row["requests"]) for row in READERS[kind](file))
    found = numbers(staff, range="7", audience="all")
    assert exported == int(re.sub(r"\D", "", found["tiles"]["requests"]["text"]))
    assert exported > 0


def _csv(file: Path) -> list[dict]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def _xlsx(file: Path) -> list[dict]:
    head, *rows = openpyxl.load_workbook(file).active.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


READERS = {
    "CSV": _csv,
    "XLSX": _xlsx,
    "JSON": lambda file: json.loads(file.read_text()),
}


def test_own_charts_are_drawn_and_written_out(staff):
    staff.goto("/admin/admin_tools_stats/dashboardstats/charts/?days=7")
    staff.wait_for_function(
        "() => [...document.querySelectorAll('figure[data-chart]')]"
        ".every((figure) => 'drawn' in figure.dataset)"
    )
    figures = staff.query_selector_all("figure[data-chart]")
    assert len(figures) == 4
    for figure in figures:
        assert figure.query_selector("canvas")
        assert figure.query_selector_all("tbody tr")
        assert not figure.query_selector(".analytics-chart-problem:not([hidden])")
