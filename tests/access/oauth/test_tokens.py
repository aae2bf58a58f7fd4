"""Tokens for codes and for refresh tokens: good once, for one, and no wider."""

import json
import logging
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from access.models import Application, Grant, SignIn
from access.oauth import grants
from access.oauth.validator import Validator
from tests.access.oauth.dancing import (
    BACK,
    REVOKE,
    TOKEN,
    VERIFIER,
    Dance,
    challenge,
    post,
    register,
    register_public,
)

pytestmark = pytest.mark.django_db
Kind = SignIn.Kind


def error(answer, status: int = 400) -> str:
    assert answer.status_code == status, answer.text
    assert "access_token" not in answer.text
    return answer.json()["error"]


# ── The whole of it ──────────────────────────────────────────────────────────
def test_code_buys_a_token_that_opens_the_api(dance, ask, lines):
    answer = dance.exchange(dance.code(scope="analytics:read products:write"))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    pair = answer.json()
    assert pair["access_token"].startswith("ado_")
    assert pair["refresh_token"].startswith("adr_")
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 600)
    assert pair["scope"] == "analytics:read"
    said = ask(pair["access_token"]).json()
    assert said == {"user": "ada", "scopes": ["analytics:read"]}
    (line,) = lines(Kind.OAUTH_ISSUED)
    assert (line.name, line.detail) == ("ada", "Notebook: analytics:read")


def test_public_application_needs_no_secret(browser, ask):
    pair = Dance(browser, register_public(), "").tokens()
    assert ask(pair["access_token"]).status_code == 200


def test_secret_may_be_in_the_body(dance):
    plain = Dance(dance.browser, dance.application, "")
    answer = plain.exchange(dance.code(), client_secret=dance.secret)
    assert answer.status_code == 200


def test_nothing_readable_is_kept(dance, ask, machine):
    code = dance.code()
    pair = dance.exchange(code).json()
    again = dance.refresh(pair["refresh_token"]).json()
    alone = machine.ask({"grant_type": "client_credentials"}).json()
    ask(again["access_token"])
    kept = str(
        [
            *Application.objects.values(),
            *Grant.objects.values(),
            *AccessToken.objects.values(),
            *RefreshToken.objects.values(),
            *SignIn.objects.values(),
            *LogEntry.objects.values(),
            *[session.get_decoded() for session in Session.objects.all()],
        ]
    )
    secrets = [code, dance.secret, machine.secret, alone["access_token"]]
    secrets += [one[name] for one in (pair, again) for name in NAMES]
    assert "Notebook" in kept
    assert [secret for secret in secrets if secret in kept] == []


NAMES = ("access_token", "refresh_token")


def test_logs_tell_no_code_and_no_token(dance, caplog):
    caplog.set_level(logging.INFO)
    code = dance.code()
    pair = dance.exchange(code).json()
    dance.refresh(pair["refresh_token"])
    for text in (code, dance.secret, *pair.values()):
        assert str(text) not in caplog.text or str(text) in ("600", "Bearer")


# ── Codes ────────────────────────────────────────────────────────────────────
def test_code_that_comes_twice_ends_what_came_of_it(dance, ask, lines):
    code = dance.code()
    pair = dance.exchange(code).json()
    newer = dance.refresh(pair["refresh_token"]).json()
    assert error(dance.exchange(code)) == "invalid_grant"
    for one in (pair, newer):
        assert ask(one["access_token"]).status_code == 401
        assert error(dance.refresh(one["refresh_token"])) == "invalid_grant"
    assert not Grant.objects.exists()
    (line,) = lines(Kind.OAUTH_REFUSED)
    assert (line.name, line.detail) == ("ada", "Notebook: code used twice")
    assert line.network == "127.0.0.0/24"


def test_code_is_good_for_a_minute(dance, later):
    code = dance.code()
    later(timedelta(seconds=61))
    assert error(dance.exchange(code)) == "invalid_grant"


def test_code_of_another_application_is_good_for_nothing(dance):
    code = dance.code()
    other = Dance(dance.browser, *register(name="Other"))
    assert error(other.exchange(code)) == "invalid_grant"
    public = Dance(dance.browser, register_public(name="Third"), "")
    assert error(public.exchange(code)) == "invalid_grant"
    # Neither did that use it up.
    assert dance.exchange(code).status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": VERIFIER + "v"}, "invalid_grant"),
        ({"redirect_uri": f"{BACK}/"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example.org/"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ],
)
def test_what_is_not_as_it_was_asked_for(dance, changes, expected):
    assert error(dance.exchange(dance.code(), **changes)) == expected
    assert not AccessToken.objects.exists()


def test_codes_that_there_are_not(dance):
    assert error(dance.exchange("unknown")) == "invalid_grant"
    assert error(dance.exchange(None)) == "invalid_request"


def test_challenge_is_not_its_own_verifier(dance):
    answer = dance.exchange(dance.code(), code_verifier=challenge())
    assert error(answer) == "invalid_grant"


def test_digest_of_a_code_is_no_code(dance):
    dance.code()
    kept = Grant.objects.get().code
    assert error(dance.exchange(kept)) == "invalid_grant"


def test_device_and_password_flows_are_not_there(dance):
    device = "urn:ietf:params:oauth:grant-type:device_code"
    answer = dance.ask({"grant_type": device, "device_code": "x"})
    assert error(answer) == "unsupported_grant_type"
    sent = {"grant_type": "password", "username": "ada", "password": "x"}
    assert error(dance.ask(sent)) == "unsupported_grant_type"
    for path in ("introspect", "applications", "device", "userinfo", "register"):
        assert Client().get(f"/oauth/{path}/").status_code == 404


def test_two_with_one_code_at_once_get_nothing(dance, ask, monkeypatch):
    """Both were asked every question before one of them came first."""
    code = dance.code()
    real, first = Validator.save_bearer_token, []

    def save(self, token, request, *args, **kwargs):
        if not first:
            first.append(None)
            first[0] = dance.exchange(code).json()
        return real(self, token, request, *args, **kwargs)

    monkeypatch.setattr(Validator, "save_bearer_token", save)
    assert error(dance.exchange(code)) == "invalid_grant"
    assert ask(first[0]["access_token"]).status_code == 401
    assert not Grant.objects.exists()


# ── Refresh tokens ───────────────────────────────────────────────────────────
def test_refresh_gives_both_anew_and_ends_the_old(dance, ask):
    old = dance.tokens()
    new = dance.refresh(old["refresh_token"]).json()
    assert {new[name] for name in NAMES}.isdisjoint(old[name] for name in NAMES)
    assert ask(new["access_token"]).status_code == 200
    assert ask(old["access_token"]).status_code == 401


def test_refresh_token_that_comes_twice_ends_the_family(dance, ask, lines):
    old = dance.tokens()
    new = dance.refresh(old["refresh_token"]).json()
    assert error(dance.refresh(old["refresh_token"])) == "invalid_grant"
    assert ask(new["access_token"]).status_code == 401
    assert error(dance.refresh(new["refresh_token"])) == "invalid_grant"
    assert not Grant.objects.exists()
    (line,) = lines(Kind.OAUTH_REFUSED)
    assert (line.name, line.detail) == ("ada", "Notebook: refresh token used twice")


def test_other_grants_of_the_user_go_on(dance, ask):
    first, second = dance.tokens(), dance.tokens()
    dance.refresh(first["refresh_token"])
    dance.refresh(first["refresh_token"])
    assert ask(second["access_token"]).status_code == 200


def test_two_refreshes_at_once_get_nothing(dance, ask, monkeypatch):
    old = dance.tokens()
    real, first = Validator.save_bearer_token, []

    def save(self, token, request, *args, **kwargs):
        if not first:
            first.append(None)
            first[0] = dance.refresh(old["refresh_token"]).json()
        return real(self, token, request, *args, **kwargs)

    monkeypatch.setattr(Validator, "save_bearer_token", save)
    assert error(dance.refresh(old["refresh_token"])) == "invalid_grant"
    assert ask(first[0]["access_token"]).status_code == 401
    assert not Grant.objects.exists()


def test_refresh_narrows_and_never_widens(dance):
    both = "analytics:read products:read"
    pair = dance.tokens(scope=both)
    wider = f"{both} products:write"
    answer = dance.refresh(pair["refresh_token"], scope=wider)
    assert error(answer) == "invalid_scope"
    less = dance.refresh(pair["refresh_token"], scope="products:read").json()
    assert less["scope"] == "products:read"
    answer = dance.refresh(less["refresh_token"], scope=both)
    assert error(answer) == "invalid_scope"


def test_what_is_no_longer_allowed_is_not_refreshed(dance, ask, analyst):
    pair = dance.tokens(scope="analytics:read products:read")
    Application.objects.update(allowed_scopes="products:read")
    assert ask(pair["access_token"]).status_code == 403
    pair = dance.refresh(pair["refresh_token"]).json()
    assert pair["scope"] == "products:read"
    analyst.groups.set(Group.objects.none())
    answer = dance.refresh(pair["refresh_token"])
    assert error(answer) == "invalid_scope"


def test_refresh_token_of_another_application(dance):
    pair = dance.tokens()
    other = Dance(dance.browser, *register(name="Other"))
    assert error(other.refresh(pair["refresh_token"])) == "invalid_grant"
    assert dance.refresh(pair["refresh_token"]).status_code == 200


def test_refresh_token_unused_for_two_weeks_is_out(dance, later):
    pair = dance.tokens()
    later(timedelta(days=14, minutes=11))
    assert error(dance.refresh(pair["refresh_token"])) == "invalid_grant"


def test_after_ninety_days_the_user_is_asked_again(dance):
    pair = dance.tokens()
    Grant.objects.update(created=timezone.now() - grants.LONGEST)
    assert error(dance.refresh(pair["refresh_token"])) == "invalid_grant"


def test_grant_says_when_it_was_used_and_when_it_ends(dance, later):
    pair = dance.tokens()
    before = Grant.objects.get()
    later(timedelta(days=3))
    dance.refresh(pair["refresh_token"])
    after = Grant.objects.get()
    assert after.last_used - before.last_used >= timedelta(days=3)
    assert after.expires - after.last_used == timedelta(days=14, minutes=10)


# ── Who may not ──────────────────────────────────────────────────────────────
def test_inactive_user_gets_nothing(dance, ask, analyst, lines):
    pair, code = dance.tokens(), dance.code()
    analyst.is_active = False
    analyst.save()
    assert ask(pair["access_token"]).status_code == 401
    assert error(dance.refresh(pair["refresh_token"])) == "invalid_grant"
    assert error(dance.exchange(code)) == "invalid_grant"
    (line,) = lines(Kind.OAUTH_REFUSED)
    assert (line.name, line.detail) == ("ada", "Notebook")


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_wrong_secret_is_refused_and_written_down_seldom(dance, lines, secret):
    code = dance.code()
    wrong = Dance(dance.browser, dance.application, "")
    for _ in range(2):
        answer = wrong.exchange(code, client_secret=secret)
        assert error(answer, 401) == "invalid_client"
    (line,) = lines(Kind.OAUTH_REFUSED)
    assert line.detail == "Notebook: wrong secret"
    assert dance.exchange(code).status_code == 200


def test_hash_of_a_secret_is_no_secret(dance):
    thief = Dance(dance.browser, dance.application, dance.application.client_secret)
    assert error(thief.exchange(dance.code()), 401) == "invalid_client"


def test_unknown_application_fills_no_table(lines):
    sent = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
    assert error(post(TOKEN, sent), 401) == "invalid_client"
    headers = {"Authorization": "Basic bm90Omdvb2Q="}
    assert error(post(TOKEN, sent, headers), 401) == "invalid_client"
    assert lines() == []


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic YQ==", "Bearer x"])
def test_headers_that_make_no_sense(header):
    sent = {"grant_type": "client_credentials"}
    assert post(TOKEN, sent, {"Authorization": header}).status_code in (400, 401)


def test_secret_in_the_address_is_refused(dance):
    sent = {"grant_type": "client_credentials"}
    assert post(f"{TOKEN}?client_secret=x", sent).status_code == 400
    assert post(f"{TOKEN}?a=%zz", sent).status_code == 400


@pytest.mark.parametrize("path", [TOKEN, REVOKE])
def test_programs_post(path, browser):
    for method in ("get", "put", "delete"):
        assert getattr(browser, method)(path).status_code == 405


def test_token_endpoint_is_throttled_by_address(dance, counted):
    sent = {"grant_type": "client_credentials"}
    answers = [post(TOKEN, sent) for _ in range(31)]
    assert {answer.status_code for answer in answers[:30]} == {401}
    last = answers[-1]
    assert (last.status_code, last["Retry-After"]) == (429, "46")
    assert json.loads(last.content)["error"] == "temporarily_unavailable"
    caches["throttles"].clear()


# ── Given back ───────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "other"])
def test_token_given_back_ends_the_access(dance, ask, lines, name, hint):
    pair = dance.tokens()
    answer = dance.revoke(pair[name], token_type_hint=hint)
    assert (answer.status_code, answer.content) == (200, b"")
    assert ask(pair["access_token"]).status_code == 401
    assert error(dance.refresh(pair["refresh_token"])) == "invalid_grant"
    assert not Grant.objects.exists()
    (line,) = lines(Kind.GRANT_REVOKED)
    assert (line.name, line.detail) == ("ada", "Notebook: analytics:read")


def test_nobody_gives_back_what_is_another_ones(dance, ask):
    pair = dance.tokens()
    other = Dance(dance.browser, *register(name="Other"))
    assert other.revoke(pair["access_token"]).status_code == 200
    assert post(REVOKE, {"token": pair["access_token"]}).status_code == 401
    thief = Dance(dance.browser, dance.application, "wrong")
    assert thief.revoke(pair["refresh_token"]).status_code == 401
    assert ask(pair["access_token"]).status_code == 200


def test_unknown_tokens_are_given_back_without_a_word(dance):
    assert dance.revoke("ado_unknown").status_code == 200
    assert dance.ask({}, REVOKE).status_code == 400
