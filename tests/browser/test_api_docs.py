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
    page.click("a[href='#products_bulk_upsert']")
    assert page.locator("#products_bulk_upsert").is_visible()
