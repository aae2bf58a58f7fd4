"""Several sites in a real browser: the switch, and the click that registers one."""

import pytest

from analytics.models import Site
from tests.analytics.conftest import site, site_stream, valkey_url
from tests.browser.test_pages import OPEN, OURS, overflow, shoot, violations, visit

__all__ = ["site", "site_stream", "valkey_url"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("catalogue"),
]
LIST = "/admin/analytics/site/"


@pytest.fixture
def others(db):
    Site.objects.get_or_create(name="test")
    Site.objects.create(name="flask-shop", label="The shop in Vienna")


@pytest.mark.parametrize("name", ["overview", "explore", "charts"])
def test_the_switch(signed_in, others, name, size, scheme):
    assert visit(signed_in, OURS[name]) == []
    switch = signed_in.get_by_role("navigation", name="Site", exact=True)
    assert switch.locator("summary").inner_text() == "Site: test"
    switch.locator("summary").click()
    assert signed_in.locator(OPEN).count() == 1
    shoot(signed_in, f"admin-{name}-switch", size, scheme)
    assert violations(signed_in) == []
    assert overflow(signed_in) <= 0
    switch.get_by_text("The shop in Vienna").click()
    signed_in.wait_for_url("**site=flask-shop*")
    said = signed_in.get_by_role("navigation", name="Site", exact=True)
    assert said.locator("summary").inner_text() == "Site: The shop in Vienna"
    assert signed_in.complaints == []


def test_no_switch_where_there_is_one_site(signed_in, size, scheme):
    assert visit(signed_in, OURS["overview"]) == []
    assert signed_in.get_by_role("navigation", name="Site", exact=True).count() == 0


def test_a_click_registers_a_site(signed_in, site_stream, others, size, scheme):
    for name in ("second-shop", "a-shop-with-a-rather-long-name-of-50-characters-xx"):
        site_stream.registry.announce(name)
    assert visit(signed_in, LIST) == []
    shoot(signed_in, "admin-sites", size, scheme)
    assert violations(signed_in) == []
    signed_in.get_by_role("button", name="Register second-shop").click()
    signed_in.wait_for_selector("text=“second-shop” is registered")
    assert signed_in.get_by_role("button", name="Register second-shop").count() == 0
    assert Site.objects.get(name="second-shop").added_by == "admin"
    assert signed_in.complaints == []
