"""Pages in a real browser: the policy holds, nothing fails, everybody can read them.

`SCREENSHOTS=folder` keeps a picture of each.
"""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("catalogue"),
]

PUBLIC = {
    "home": "/",
    "catalogue": "/products/?page=2",
    "category": "/products/?category=lighting",
    "product": "/products/brass-pen/",
    "about": "/about/",
}
ADMIN = {
    "admin-index": "/admin/",
    "admin-products": "/admin/products/product/",
    "admin-product": "/admin/products/product/add/",
    "admin-task": "/admin/django_celery_beat/periodictask/add/",
}


def shoot(page, name: str, size: str, scheme: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        path = Path(folder) / f"{name}-{size}-{scheme}.png"
        page.screenshot(path=str(path), full_page=True)


def violations(page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in found
        for node in rule["nodes"]
    ]


def overflow(page) -> int:
    """By how many pixels the page is wider than the window."""
    script = "document.documentElement.scrollWidth - window.innerWidth"
    return page.evaluate(script)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_page(page, name, size, scheme):
    page.goto(PUBLIC[name])
    shoot(page, name, size, scheme)
    assert page.complaints == []
    assert overflow(page) <= 0
    # The checker is injected past the policy, so it runs after what it may disturb.
    assert violations(page) == []


def test_login_leads_into_the_admin(page, size, scheme, admin_user):
    page.goto("/admin/")
    shoot(page, "admin-login", size, scheme)
    page.fill("#id_username", "admin")
    page.fill("#id_password", "password")
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    assert page.inner_text("#content h1") == "Overview"
    assert page.complaints == []


@pytest.mark.parametrize("name", ADMIN)
def test_admin_page(signed_in, name, size, scheme):
    signed_in.goto(ADMIN[name])
    shoot(signed_in, name, size, scheme)
    assert signed_in.complaints == []


def test_missing_page_is_readable(page, size, scheme):
    page.goto("/no-such-page/")
    shoot(page, "missing", size, scheme)
    assert page.inner_text("h1") == "This page does not exist"
    assert violations(page) == []
