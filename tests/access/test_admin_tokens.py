"""The admin's pages of tokens: shown once, own ones only, revoked and never changed."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.utils import timezone

from access import tokens
from access.models import ApiToken, SignIn

pytestmark = pytest.mark.django_db
LIST = "/admin/access/apitoken/"
ADD = LIST + "add/"
FORM = {"name": "nightly", "scopes": ["analytics:read"], "days": "30"}
TEXT = re.compile(r"adt_[0-9a-f]+_[\w-]{40,}")


def make(browser, **changes):
    return browser.post(ADD, FORM | changes)


def made(browser, **changes) -> tuple[ApiToken, str]:
    page = make(browser, **changes)
    (text,) = TEXT.findall(page.text)
    return ApiToken.objects.get(prefix=tokens.parse(text).prefix), text


@pytest.fixture
def browser(analyst, client):
    client.force_login(analyst)
    return client


def test_token_is_in_the_answer_and_opens_the_api(browser, analyst, ask, lines):
    token, text = made(browser)
    assert (token.user, token.scope) == (analyst, "analytics:read")
    assert token.expires - timezone.now() <= timedelta(days=30)
    assert ask(text).json()["user"] == "ada"
    (line,) = lines(SignIn.Kind.TOKEN_MADE)
    assert line.detail == f"{token}: analytics:read"


def test_token_is_shown_once(browser):
    page = make(browser)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    token = ApiToken.objects.get()
    for path in (LIST, f"{LIST}{token.pk}/change/", f"{LIST}{token.pk}/history/"):
        again = browser.get(path)
        assert again.status_code == 200
        assert not TEXT.search(again.text)
        assert token.digest not in again.text


def test_secret_is_kept_nowhere(browser):
    _token, text = made(browser)
    secret = tokens.parse(text).secret
    rows = [*ApiToken.objects.values(), *SignIn.objects.values()]
    rows += LogEntry.objects.values()
    assert secret not in str(rows)
    assert secret not in str(browser.cookies)
    kept = [session.get_decoded() for session in Session.objects.all()]
    assert kept
    assert secret not in str(kept)


def test_sessions_page_shows_no_message_of_it(browser):
    make(browser)
    assert "messagelist" not in browser.get("/admin/").text


@pytest.mark.parametrize("days", ["0", "366", "-1", "", "x"])
def test_no_token_lasts_longer_than_a_year(browser, days):
    assert "errorlist" in make(browser, days=days).text
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("scopes", [["products:write"], ["users:delete"], []])
def test_scopes_are_those_of_use_to_the_user(browser, scopes):
    assert "errorlist" in make(browser, scopes=scopes).text
    assert not ApiToken.objects.exists()


def test_nobody_makes_a_token_of_somebody_else(browser, analyst, superuser):
    token, _text = made(browser, user=str(superuser.pk))
    assert token.user == analyst


def test_what_the_form_does_not_ask_is_not_taken(browser):
    more = {"digest": "0" * 64, "prefix": "mine"}
    more |= {"last_used": "2026-01-01", "scope": "products:write"}
    token, _text = made(browser, **more)
    assert token.prefix != "mine"
    assert token.digest != "0" * 64
    assert (token.scope, token.last_used) == ("analytics:read", None)


def test_superusers_make_them_for_others(client, superuser, analyst):
    client.force_login(superuser)
    token, _text = made(client, user=str(analyst.pk))
    assert token.user == analyst
    over = make(client, user=str(analyst.pk), scopes=["products:write"])
    assert "ada may do nothing with: products:write" in over.text


def test_everybody_sees_their_own(browser, client, superuser, make_token):
    own, _text = make_token()
    other = ApiToken(user=superuser, name="other", scope="analytics:read")
    other.renew_secret()
    other.save()
    assert own.prefix in browser.get(LIST).text
    assert other.prefix not in browser.get(LIST).text
    change = f"{LIST}{other.pk}/change/"
    assert browser.get(change).status_code == 302
    assert browser.post(f"{LIST}{other.pk}/revoke/").status_code == 404
    client.force_login(superuser)
    assert other.prefix in client.get(LIST).text
    assert own.prefix in client.get(LIST).text


def test_nothing_of_a_token_is_changed(client, superuser, make_token):
    token, _text = make_token()
    client.force_login(superuser)
    path = f"{LIST}{token.pk}/change/"
    before = ApiToken.objects.values().get()
    assert client.post(path, FORM | {"digest": "0" * 64}).status_code == 403
    assert ApiToken.objects.values().get() == before


def test_revoked_token_opens_nothing(browser, make_token, ask, lines):
    token, text = make_token()
    page = browser.get(f"{LIST}{token.pk}/change/").text
    path = f"{LIST}{token.pk}/revoke/"
    assert f'action="{path}"' in page
    assert browser.get(path).status_code == 405
    assert ask(text).status_code == 200
    for _ in range(2):
        assert browser.post(path).status_code == 302
    assert ask(text).status_code == 401
    (line,) = lines(SignIn.Kind.TOKEN_REVOKED)
    assert (line.user, line.detail) == (token.user, str(token))
    assert path not in browser.get(f"{LIST}{token.pk}/change/").text


def test_revoking_needs_a_csrf_token(browser, make_token):
    token, _text = make_token()
    browser.handler.enforce_csrf_checks = True
    assert browser.post(f"{LIST}{token.pk}/revoke/").status_code == 403
    assert ApiToken.objects.get().revoked is None


def test_users_with_tokens_can_go(client, superuser, analyst, make_token, lines):
    make_token()
    client.force_login(analyst)
    client.force_login(superuser)
    path = f"/admin/auth/user/{analyst.pk}/delete/"
    assert client.post(path, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=analyst.pk).exists()
    # The audit list remembers the name.
    assert "ada" in [line.name for line in lines()]


def test_markup_in_a_name_is_shown_as_text(browser):
    make(browser, name="<script>alert(1)</script>")
    assert "<script>alert" not in make(browser, name="<script>alert(1)</script>").text
    assert "<script>alert" not in browser.get(LIST).text


def test_without_the_permission_there_is_no_page(client, analyst):
    analyst.groups.set(Group.objects.filter(name="Viewer"))
    client.force_login(analyst)
    assert client.get(LIST).status_code == client.get(ADD).status_code == 403


def test_an_empty_list_says_what_tokens_are_for(browser):
    assert "A script that uses the API needs one of its own." in browser.get(LIST).text


def test_the_form_has_one_button(browser):
    page = browser.get(ADD).text
    assert 'name="_save"' in page
    assert 'name="_addanother"' not in page
    assert 'name="_continue"' not in page
