"""The second factor in a real browser: set up, signed out, in by code, in by paper.

`SCREENSHOTS=folder` keeps pictures.
"""

import re
import time
from base64 import b32decode

import pytest
from django.contrib.auth.models import Group
from django_otp import oath

from access import sessions
from access.factors.models import Authenticator
from access.models import GroupFactor
from tests.browser.test_pages import overflow, shoot, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STATUS = "/admin/second-factor/"
LOADED = "() => document.querySelector('.factor-picture').naturalWidth > 100"


def code(secret: str, later: int = 0) -> str:
    """What an app shows that was given what the page tells."""
    totp = oath.TOTP(b32decode(secret.replace(" ", "")))
    totp.time = time.time() + 30 * later
    return f"{totp.token():06}"


def look(page, name: str, size: str, scheme: str) -> None:
    """Everybody can read it, it fits, and the policy holds."""
    shoot(page, f"factor-{name}", size, scheme)
    assert page.complaints == []
    assert overflow(page) <= 0
    assert violations(page) == []
    # What looks for violations is itself one of the policy.
    page.complaints.clear()


def give_password(page) -> None:
    page.goto("/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "password")
    page.click("[type=submit]")


def sign_out(page) -> None:
    page.goto(STATUS)
    page.click("[popovertarget=user-menu]")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/logout/")


def test_the_whole_way(page, admin_user, settings, size, scheme):
    """Required of superusers, so that the first sign-in leads there by itself."""
    settings.SECOND_FACTOR_REQUIRED = "superusers"
    give_password(page)
    page.wait_for_url(f"**{STATUS}*")
    assert "A second factor is required" in page.inner_text("#content")
    assert not page.locator("#nav-sidebar").is_visible()
    look(page, "required", size, scheme)

    page.click("#content >> text='Set up'")
    page.wait_for_function(LOADED)
    look(page, "set-up", size, scheme)
    secret = page.inner_text(".factor-secret")
    page.fill("#id_code", "000000" if code(secret) != "000000" else "111111")
    page.click("text=Turn on")
    page.wait_for_selector(".errorlist")
    page.wait_for_function(LOADED)
    look(page, "wrong", size, scheme)
    # Instead of the second that the next one has to wait.
    Authenticator.objects.update(throttling_failure_timestamp=None)
    page.fill("#id_code", code(secret))
    page.click("text=Turn on")
    page.wait_for_selector(".factor-codes")
    look(page, "codes", size, scheme)
    papers = page.locator(".factor-codes li").all_inner_texts()
    assert len(papers) == 10
    page.click("text=I have saved them")
    page.wait_for_url("**/admin/")
    assert page.inner_text("#content h1") == "Overview"

    page.goto(STATUS)
    assert re.search(r"Recovery codes left\s+10", page.inner_text("#content"))
    look(page, "status", size, scheme)
    page.click("text=Remove")
    look(page, "take-away", size, scheme)

    sign_out(page)
    give_password(page)
    page.wait_for_url("**/second-factor/code/*")
    look(page, "code", size, scheme)
    assert page.get_by_role("button", name="Continue").bounding_box()["height"] > 40
    page.fill("#id_code", code(secret, 1))
    page.click("text=Continue")
    page.wait_for_url("**/admin/")

    sign_out(page)
    give_password(page)
    page.wait_for_url("**/second-factor/code/*")
    page.fill("#id_code", papers[0])
    page.click("text=Continue")
    page.wait_for_url("**/admin/")
    page.goto(STATUS)
    assert re.search(r"Recovery codes left\s+9", page.inner_text("#content"))
    assert page.complaints == []


def test_browser_that_was_left_open_asks_for_the_password(
    signed_in, monkeypatch, size, scheme
):
    page = signed_in
    monkeypatch.setattr(sessions, "FRESH", 0)
    page.goto(STATUS)
    look(page, "none", size, scheme)
    page.click("#content >> text='Set up'")
    page.wait_for_url("**/begin/")
    look(page, "password", size, scheme)
    page.fill("#id_password", "not it")
    page.click("text=Continue")
    page.wait_for_selector(".errorlist")
    look(page, "password-wrong", size, scheme)
    page.fill("#id_password", "password")
    page.click("text=Continue")
    page.wait_for_url("**/confirm/")
    page.wait_for_function(LOADED)
    assert page.complaints == []


def test_group_requires_it(signed_in, size, scheme):
    page, group = signed_in, Group.objects.create(name="Clerks")
    for required in (True, False):
        page.goto(f"/admin/auth/group/{group.pk}/change/")
        page.set_checked("#id_factor-0-required", required)
        page.click("text=Save and continue editing")
        page.wait_for_selector(".messagelist .success")
        assert GroupFactor.objects.get().required is required
        assert page.is_checked("#id_factor-0-required") is required
    assert page.get_by_role("heading", name="Second factor").count() == 1
    page.locator("#id_factor-0-required").scroll_into_view_if_needed()
    shoot(page, "factor-group", size, scheme)
    assert overflow(page) <= 0
    assert page.complaints == []


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light")], indirect=True)
def test_who_is_half_in_can_leave(page, admin_user, settings):
    settings.SECOND_FACTOR_REQUIRED = "superusers"
    give_password(page)
    page.wait_for_url(f"**{STATUS}*")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/logout/")
    page.goto(STATUS)
    assert page.locator("#login-form").is_visible()
    assert page.complaints == []
