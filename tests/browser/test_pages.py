"""Pages in a real browser: the policy holds, nothing fails, everybody can read them.

`SCREENSHOTS=folder` keeps a picture of each page that is checked for readers.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import resolve
from django.utils import timezone

from analytics.models import Producer
from analytics.reporting.explore import PAGE_ROWS
from tests.analytics.reporting.traffic import BROWSER, at, counted
from tests.dashboard.addresses import addresses, samples

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("catalogue"),
]

PUBLIC = {
    "home": "/",
    "catalogue": "/products/?page=2",
    "category": "/products/category/lighting/",
    "product": "/products/brass-pen/",
    "about": "/about/",
}
OURS = {
    "overview": "/admin/",
    "charts": "/admin/admin_tools_stats/dashboardstats/charts/",
    "rollups": "/admin/analytics/rollup/",
    "ledger": "/admin/analytics/producer/",
    "dead-letters": "/admin/analytics/deadletter/",
    "job-runs": "/admin/analytics/jobrun/",
    "explore": "/admin/analytics/rollup/explore/",
    "explore-routes": "/admin/analytics/rollup/explore/?dimension=route&page=2",
    "explore-search": "/admin/analytics/rollup/explore/?dimension=route&q=long",
    "explore-nothing": "/admin/analytics/rollup/explore/?dimension=route&q=zebra",
    "explore-languages": "/admin/analytics/rollup/explore/?dimension=language",
    "explore-off": "/admin/analytics/rollup/explore/?dimension=country",
    "explore-pairs": "/admin/analytics/rollup/explore/?dimension=product_referrer",
    "one-key": "/admin/analytics/rollup/overview/?dimension=route&key=/item/1/",
    "imported-files": "/admin/analytics/importedfile/",
    "retention": "/admin/analytics/retention/",
    "retention-form": "/admin/analytics/retention/route/1/",
    "retention-days": "/admin/analytics/retention/route/2/",
    "privacy": "/admin/analytics/retention/privacy/",
    "schedule": "/admin/django_celery_beat/periodictask/",
    "products": "/admin/products/product/",
    "product-form": "/admin/products/product/add/",
    "product-import": "/admin/products/product/import/",
    "product-export": "/admin/products/product/export/",
    "categories": "/admin/products/category/",
    "users": "/admin/auth/user/",
    "password": "/admin/password_change/",
    "second-factor": "/admin/second-factor/",
    "second-factors": "/admin/access/authenticator/",
}
SETTLED = """() => [...document.querySelectorAll(".analytics-chart")].every(
    (figure) => figure.dataset.drawn || figure.querySelector("[role=status]")
)"""


LONG_KEY = "/long" + "/<slug:of-something-with-a-name>" * 6 + "/"
OPEN = "details.analytics-custom[open]"


@pytest.fixture
def objects(catalogue):
    return samples()


@pytest.fixture
def traffic(catalogue):
    """Some views of many routes, and of a product, today and a month ago."""
    shown = {"view": "products:detail", "kwargs": {"slug": "brass-pen"}}
    shown |= {"route": LONG_KEY, "referrer": "search.example.org"}
    seen = [{"route": f"/item/{number}/"} for number in range(PAGE_ROWS + 5)]
    now = timezone.now()
    counted(
        [
            at(now - timedelta(days=days), agent=BROWSER, language="de-at", **one)
            for days in (0, 31)
            for one in [*seen, shown]
        ]
    )


def shoot(page, name: str, size: str, scheme: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        path = Path(folder) / f"{name}-{size}-{scheme}.png"
        page.screenshot(path=str(path), full_page=True)


def violations(page) -> list[str]:
    """What axe finds; it is injected past the policy, after what it may disturb."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in found
        for node in rule["nodes"]
    ]


def overflow(page) -> int:
    """By how many pixels the page is wider than the screen. A phone makes its window
    wider, where a page is."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    return wide - page.viewport_size["width"]


def visit(page, url: str) -> list[str]:
    """Open a page and wait for its charts; what is wrong with it."""
    page.complaints.clear()
    page.goto(url)
    page.wait_for_function(SETTLED)
    wide = overflow(page)
    return [*page.complaints, *([f"{wide} pixels too wide"] if wide > 0 else [])]


def pages_of_the_admin(objects, browser) -> list[str]:
    """The addresses that show a page to this client."""
    found = []
    for _name, url in addresses(objects):
        response = browser.get(url) if url.startswith("/admin/") else None
        if response is not None and response.status_code == 200:
            kind = response.headers["Content-Type"]
            found += [url] if kind.startswith("text/html") else []
    return found


def links(page) -> Iterator[str]:
    """Where the page leads to, inside of the admin and without a query."""
    script = "[...document.querySelectorAll('a[href]')].map((link) => link.href)"
    for link in page.evaluate(script):
        parts = urlsplit(link)
        if parts.path.startswith("/admin/") and not parts.query:
            yield parts.path


# Everybody can read our pages.


def test_public_pages(page, size, scheme):
    wrong = {}
    for name, url in PUBLIC.items():
        wrong[name] = visit(page, url)
        shoot(page, name, size, scheme)
        wrong[name] += violations(page)
    assert {name: found for name, found in wrong.items() if found} == {}


def test_our_pages_of_the_admin(signed_in, objects, traffic, size, scheme):
    wrong = {}
    for name, url in OURS.items():
        wrong[name] = visit(signed_in, url)
        shoot(signed_in, f"admin-{name}", size, scheme)
        wrong[name] += violations(signed_in)
    assert {name: found for name, found in wrong.items() if found} == {}


def test_menus_of_explore(signed_in, traffic, size, scheme):
    """One at a time, inside of the window, and closed by Escape or a click beside."""
    visit(signed_in, OURS["explore"])
    menus = signed_in.locator("details.analytics-custom")
    assert menus.count() == 3
    for place in range(3):
        menus.nth(place).locator("summary").click()
        assert signed_in.locator(OPEN).count() == 1
        shoot(signed_in, f"admin-explore-menu-{place}", size, scheme)
        assert violations(signed_in) == []
        assert overflow(signed_in) <= 0
        signed_in.keyboard.press("Escape")
        assert signed_in.locator(OPEN).count() == 0
    assert signed_in.evaluate("document.activeElement.tagName") == "SUMMARY"
    signed_in.keyboard.press("Enter")
    assert signed_in.locator(OPEN).count() == 1
    signed_in.click("h1")
    assert signed_in.locator(OPEN).count() == 0
    assert signed_in.complaints == []


def test_preview_of_retention(signed_in, traffic, size, scheme):
    visit(signed_in, OURS["retention-form"])
    signed_in.fill("[name=days]", "20")
    signed_in.click("text=Show what would go")
    shoot(signed_in, "admin-retention-preview", size, scheme)
    said = signed_in.inner_text("dl.analytics-totals")
    assert re.search(rf"With 20 days it deletes\s+{PAGE_ROWS + 6} rows", said)
    assert overflow(signed_in) <= 0
    assert signed_in.complaints == []
    assert violations(signed_in) == []


def test_login_leads_into_the_admin(page, size, scheme, admin_user):
    page.goto("/admin/")
    shoot(page, "admin-login", size, scheme)
    assert violations(page) == []
    page.fill("#id_username", "admin")
    page.fill("#id_password", "password")
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    assert page.inner_text("#content h1") == "Overview"
    assert page.complaints == []


def test_missing_page_is_readable(page, size, scheme):
    page.goto("/no-such-page/")
    shoot(page, "missing", size, scheme)
    assert page.inner_text("h1") == "This page does not exist"
    assert violations(page) == []


# Every page of the admin, also those of packages.


@pytest.mark.parametrize(
    ("size", "scheme"), [("desktop", "light"), ("phone", "dark")], indirect=True
)
def test_every_page_of_the_admin(signed_in, objects, admin_client):
    """From the resolver, then wherever their links lead to that is of another kind."""
    waiting = pages_of_the_admin(objects, admin_client)
    known = {resolve(url).route for url in waiting}
    assert len(waiting) > 50
    wrong = {}
    while waiting:
        url = waiting.pop()
        wrong[url] = visit(signed_in, url)
        for link in links(signed_in):
            if (route := resolve(link).route) not in known:
                known.add(route)
                waiting.append(link)
    assert {url: found for url, found in wrong.items() if found} == {}


# What the frame does.


@pytest.mark.parametrize(("size", "scheme"), [("phone", "light")], indirect=True)
def test_phone_opens_navigation_and_filters(signed_in, objects):
    signed_in.goto(OURS["products"])
    navigation, filters = (
        signed_in.locator(f"#{id}") for id in ("nav-sidebar", "changelist-filter")
    )
    assert not navigation.is_visible()
    assert not filters.is_visible()
    signed_in.click("[popovertarget=changelist-filter]")
    assert filters.is_visible()
    signed_in.keyboard.press("Escape")
    assert not filters.is_visible()
    signed_in.click("[popovertarget=nav-sidebar]")
    navigation.get_by_text("Categories", exact=True).click()
    signed_in.wait_for_url("**/products/category/")
    assert not navigation.is_visible()
    assert signed_in.complaints == []


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light")], indirect=True)
def test_desktop_hides_the_navigation_and_remembers_it(signed_in):
    signed_in.goto(OURS["products"])
    navigation = signed_in.locator("#nav-sidebar")
    assert navigation.is_visible()
    signed_in.click("#toggle-nav-sidebar")
    assert not navigation.is_visible()
    signed_in.reload()
    assert not navigation.is_visible()


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light")], indirect=True)
def test_theme_is_chosen_by_hand(signed_in):
    signed_in.goto(OURS["password"])
    ground = "getComputedStyle(document.body).backgroundColor"
    light = signed_in.evaluate(ground)
    signed_in.click(".theme-toggle")
    assert signed_in.evaluate("document.documentElement.dataset.theme") == "dark"
    assert signed_in.evaluate(ground) != light


SHADES = """() => {
  const plot = document.querySelector("figure.analytics-chart .analytics-plot");
  const [series] = echarts.getInstanceByDom(plot).getOption().series;
  const areas = series.markArea.data;
  return {
    areas: areas.map(([from, to]) => [from.name, from.xAxis, to.xAxis]),
    points: series.showSymbol,
  };
}"""


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light")], indirect=True)
def test_gaps_are_shown_as_what_they_are(signed_in, monkeypatch, settings):
    """Three hours without a web process, and other ones alone."""
    settings.ANALYTICS_SITE, settings.TIME_ZONE = "test", "UTC"
    now = datetime(2026, 7, 1, 15, 20, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    for hour in (0, 1, 3, 4, 5, 6, 7, 8, 9, 13):
        moment = now.replace(hour=hour)
        counted([at(moment)] * (2 + hour % 4))
        Producer.objects.all().delete()
    signed_in.goto(f"{OURS['overview']}?range=today&measure=requests&audience=all")
    signed_in.wait_for_function(SETTLED)
    signed_in.click("figure.analytics-chart summary")
    cells = signed_in.locator("figure.analytics-chart tbody td:nth-child(2)")
    texts = cells.all_inner_texts()[:16]
    gaps = [hour for hour, text in enumerate(texts) if text == "not recorded"]
    assert gaps == [2, 10, 11, 12, 14, 15]
    assert texts[3] == "5"
    shades = signed_in.evaluate(SHADES)
    assert shades["areas"] == [
        ["", 1, 3],
        ["not recorded", 9, 13],
        ["", 13, 15],
        ["so far", 14, 15],
    ]
    assert shades["points"], "else 13:00 is not to be seen"
    shoot(signed_in, "gaps", "desktop", "light")
    assert signed_in.complaints == []


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light")], indirect=True)
def test_signing_out(signed_in):
    signed_in.goto(OURS["password"])
    signed_in.click("[popovertarget=user-menu]")
    signed_in.get_by_role("button", name="Log out").click()
    signed_in.wait_for_url("**/logout/")
    signed_in.goto("/admin/")
    assert signed_in.locator("#login-form").is_visible()
