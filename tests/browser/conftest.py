"""A real Chromium for the browser tests, and pages that collect what went wrong."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {
    "desktop": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
}


@pytest.fixture(scope="module")
def chromium() -> Iterator["playwright.Browser"]:
    """Ends with its module: while it lives, an event loop runs in the tests' thread."""
    if not CHROMIUM.exists():
        reason = f"no Chromium at {CHROMIUM}; install it, or set CHROMIUM to its path"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with playwright.sync_playwright() as api:
        browser = api.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=["desktop", "phone"])
def size(request) -> str:
    return request.param


@pytest.fixture(params=["light", "dark"])
def scheme(request) -> str:
    return request.param


@pytest.fixture
def page(chromium, live_server, size, scheme) -> Iterator["playwright.Page"]:
    """A page of this size and scheme; `page.complaints` collects what it reports."""
    context = chromium.new_context(
        base_url=live_server.url,
        viewport=SIZES[size],
        is_mobile=size == "phone",
        color_scheme=scheme,
    )
    page = context.new_page()
    page.complaints = []
    watch(page, live_server.url)
    yield page
    context.close()


def watch(page: "playwright.Page", own: str) -> None:
    """Collect errors of the console (a violated policy is one) and of the network."""
    complain = page.complaints.append
    page.on("console", lambda m: m.type in ("error", "warning") and complain(m.text))
    page.on("pageerror", lambda error: complain(str(error)))
    page.on(
        "requestfailed",
        # Whoever goes on to another page does not wait for what the last one asked for.
        lambda request: (
            None
            if request.failure == "net::ERR_ABORTED"
            else complain(f"failed: {request.url}")
        ),
    )
    page.on(
        "request",
        lambda r: None if r.url.startswith(own) else complain(f"foreign: {r.url}"),
    )
    page.on(
        "response",
        lambda r: complain(f"{r.status}: {r.url}") if r.status >= 400 else None,
    )


@pytest.fixture
def signed_in(page, live_server, admin_user, client):
    """The page with the session of a superuser."""
    from django.conf import settings

    client.force_login(admin_user)
    name = settings.SESSION_COOKIE_NAME
    value = client.cookies[name].value
    page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    return page
