"""Tokens as credentials: what they open, and that every refusal is the same."""

from datetime import timedelta

import pytest
from django.db import router
from django.test import Client
from django.utils import timezone

from access import tokens
from access.models import ApiToken, SignIn

pytestmark = pytest.mark.django_db
REFUSED = SignIn.Kind.TOKEN_REFUSED


def test_token_says_who_and_with_which_scopes(make_token, ask):
    _token, text = make_token("analytics:read products:read")
    answer = ask(text)
    scopes = ["analytics:read", "products:read"]
    assert answer.json() == {"user": "ada", "scopes": scopes}


def test_scope_of_the_method_is_asked_for(make_token, ask):
    _token, reader = make_token("analytics:read")
    _token, writer = make_token("products:write")
    assert (ask(reader).status_code, ask(reader, "post").status_code) == (200, 403)
    assert (ask(writer).status_code, ask(writer, "post").status_code) == (403, 200)


def test_view_that_names_no_scope_lets_nobody_in(make_token, ask, superuser, client):
    everything = "analytics:read products:read products:write"
    _token, text = make_token(everything)
    client.force_login(superuser)
    for method in ("get", "post"):
        assert ask(text, method, "/api/v1/unscoped/").status_code == 403
        assert getattr(client, method)("/api/v1/unscoped/").status_code == 403


def test_session_has_all_scopes_and_needs_a_csrf_token(analyst, make_token):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(analyst)
    assert browser.get("/api/v1/who/").json() == {"user": "ada", "scopes": None}
    assert browser.post("/api/v1/who/").status_code == 403
    _token, text = make_token("products:write")
    headers = {"Authorization": f"Bearer {text}"}
    assert browser.post("/api/v1/who/", headers=headers).status_code == 200


def test_scope_that_no_longer_exists_opens_nothing(make_token, ask):
    _token, text = make_token("analytics:delete")
    assert ask(text).status_code == 403


def spoil(token: ApiToken, text: str, how: str) -> str:
    """The text of a credential that is not good, in one of the ways there are."""
    now = timezone.now()
    if how == "expired":
        ApiToken.objects.update(expires=now)
    elif how == "revoked":
        token.revoke(now)
    elif how == "inactive":
        type(token.user).objects.update(is_active=False)
    elif how == "gone":
        token.delete()
    elif how == "wrong secret":
        return str(tokens.parse(text)._replace(secret=tokens.make().secret))
    elif how == "unknown":
        return str(tokens.make())
    elif how == "malformed":
        return "adt_"
    elif how == "digest":
        # Who has read the table has not read the secret.
        return str(tokens.parse(text)._replace(secret=token.digest))
    return text


WAYS = ["expired", "revoked", "inactive", "gone", "wrong secret", "unknown"]
WAYS += ["malformed", "digest"]


@pytest.mark.parametrize("how", WAYS)
def test_every_refusal_is_the_same(make_token, ask, how):
    token, text = make_token()
    assert ask(text).status_code == 200
    answer = ask(spoil(token, text, how))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    expected = ask(str(tokens.make()))
    assert answer.content == expected.content
    assert answer.json()["code"] == "authentication_failed"


def test_unknown_and_wrong_take_the_same_steps(
    make_token, ask, django_assert_num_queries, monkeypatch
):
    compared = []
    real = tokens.fits
    monkeypatch.setattr(
        tokens, "fits", lambda *pair: compared.append(pair) or real(*pair)
    )
    token, text = make_token()
    for how in ("wrong secret", "unknown"):
        with django_assert_num_queries(1, using=router.db_for_read(ApiToken)):
            ask(spoil(token, text, how))
    assert [len(kept) for _secret, kept in compared] == [64, 64]


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer adt_a_b c"])
def test_headers_that_make_no_sense_are_refused(header):
    answer = Client().get("/api/v1/who/", headers={"Authorization": header})
    assert answer.status_code == 401


def test_anonymous_gets_the_challenge():
    answer = Client().get("/api/v1/who/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


def test_bad_token_beside_a_good_session_is_refused(analyst, client):
    client.force_login(analyst)
    headers = {"Authorization": f"Bearer {tokens.make()}"}
    assert client.get("/api/v1/who/", headers=headers).status_code == 401


def test_last_use_is_written_once_a_minute(make_token, ask, django_assert_num_queries):
    token, text = make_token()
    ask(text)
    token.refresh_from_db()
    first = token.last_used
    assert timezone.now() - first < timedelta(minutes=1)
    with django_assert_num_queries(1, using=router.db_for_read(ApiToken)):
        ask(text)
    earlier = first - timedelta(seconds=61)
    ApiToken.objects.update(last_used=earlier)
    ask(text)
    token.refresh_from_db()
    assert token.last_used >= first


@pytest.mark.parametrize(("how", "written"), [("revoked", 1), ("expired", 1)])
def test_use_of_one_that_ended_is_written_down_seldom(
    make_token, ask, lines, how, written
):
    token, text = make_token()
    spoil(token, text, how)
    for _ in range(3):
        ask(text)
    (line,) = lines(REFUSED)
    assert (line.user, line.detail, line.network) == (
        token.user,
        str(token),
        "127.0.0.0/24",
    )
    SignIn.objects.update(when=timezone.now() - timedelta(hours=1))
    ask(text)
    assert len(lines(REFUSED)) == written + 1


@pytest.mark.parametrize("how", ["unknown", "wrong secret"])
def test_guesses_fill_no_table(make_token, ask, lines, how):
    token, text = make_token()
    ask(spoil(token, text, how))
    assert lines() == []
