"""The first morning, in a real browser on the real site: web, workers, beat, Valkey.

What somebody does in the shop shows up in the dashboard; what the dashboard draws is
what it writes in tables, and what the query module says.
"""

import json
import re
from collections.abc import Iterator

import pytest

from tests.browser.conftest import SIZES, watch
from tests.running import RunningSite, running_site

pytestmark = [pytest.mark.browser, pytest.mark.acceptance]

SOON = 10_000
"""Milliseconds in which a click has to become a number."""
OVERVIEW = "/admin/analytics/rollup/overview/"
NUMBER = "[data-tile={}] strong"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def visitor(chromium, site):
    """A browser that nobody signed in with."""
    context = chromium.new_context(base_url=site.address, viewport=SIZES["phone"])
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
    """The numbers once nothing waits to be counted any more."""
    waiting = f"{OVERVIEW}waiting/"
    for _ in range(200):
        if page.request.get(waiting).json()["waiting"] == "0":
            break
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
