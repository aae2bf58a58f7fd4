"""The readable page of the API in a real browser."""

import pytest

from tests.browser.test_pages import shoot, violations, visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_the_page_is_sound(signed_in, size, scheme):
    page = signed_in
    assert visit(page, "/api/v1/docs/") == []
    shoot(page, "api-docs", size, scheme)
    assert violations(page) == []
    text = page.locator("#products_bulk_upsert")
    assert not text.is_visible()
    page.click("summary:has-text('/products/bulk/')")
    assert text.is_visible()
    shoot(page, "api-docs-open", size, scheme)


def test_an_address_leads_into_what_is_folded(signed_in):
    page = signed_in
    visit(page, "/api/v1/docs/")
    page.evaluate("location.hash = 'products_bulk_upsert'")
    assert page.locator("#products_bulk_upsert").is_visible()
    assert page.evaluate("document.documentElement.scrollHeight") < 8_000
