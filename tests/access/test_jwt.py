"""Web tokens: issued, rotated, refused; the attacks that are known."""

import base64
import hashlib
import hmac
import json

import jwt as pyjwt
import pytest
from django.conf import settings as live
from django.contrib.auth.models import User
from django.test import Client
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from access import jwt
from access.models import SignIn

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db
OBTAIN, REFRESH = "/api/v1/auth/jwt/", "/api/v1/auth/jwt/refresh/"
Kind = SignIn.Kind


def post(path: str, **body):
    return Client().post(path, body, content_type="application/json")


def obtain(name: str = "ada", password: str = PASSWORD, **more):
    return post(OBTAIN, username=name, password=password, **more)


def refresh(pair: dict):
    return post(REFRESH, refresh=pair["refresh"])


@pytest.fixture
def pair(analyst) -> dict:
    return obtain().json()


def test_password_gets_a_pair_that_opens_the_api(pair, ask, lines):
    assert pair["scope"] == "analytics:read products:read"
    assert pair["expires_in"] == 600
    assert ask(pair["access"]).json()["scopes"] == pair["scope"].split()
    assert [line.user.username for line in lines(Kind.JWT_ISSUED)] == ["ada"]
    (login,) = lines()
    assert (login.door, login.detail) == ("jwt", pair["scope"])


def test_answer_is_stored_nowhere_and_sets_no_cookie(analyst):
    answer = obtain()
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies


def test_requested_scopes_are_all_it_has(analyst, ask):
    pair = obtain(scope=["products:read"]).json()
    assert pair["scope"] == "products:read"
    assert ask(pair["access"]).status_code == 403
    assert refresh(pair).json()["scope"] == "products:read"


def test_scope_that_the_user_could_not_use_is_refused(analyst, lines):
    answer = obtain(scope=["analytics:read", "products:write"])
    assert answer.status_code == 401
    assert lines()[-1].detail == "scope: products:write"
    assert obtain(scope=["users:delete"]).status_code == 400


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"password": ""}], ids=["inactive", "unusable"]
)
def test_refusals_of_the_password_are_alike(analyst, change):
    User.objects.filter(pk=analyst.pk).update(**change)
    refused = obtain()
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"] == 'Bearer realm="api"'
    assert refused.content == obtain("nobody").content == obtain(password="x").content


def test_refresh_token_is_good_once_and_its_family_ends(pair, ask, lines):
    second = refresh(pair).json()
    assert ask(second["access"]).status_code == 200
    assert refresh(pair).status_code == 401
    # Whoever has the younger one may be the thief.
    assert refresh(second).status_code == 401
    kinds = [line.kind for line in lines()]
    assert kinds == [Kind.JWT_ISSUED, Kind.JWT_REFRESHED, Kind.JWT_REFUSED]
    assert obtain().status_code == 200


def test_password_is_asked_for_again_after_a_while(pair, monkeypatch, lines):
    monkeypatch.setattr(jwt, "LONGEST_SECONDS", -1)
    assert refresh(pair).status_code == 401
    assert lines()[-1].detail == "begun too long ago"
    monkeypatch.undo()
    assert refresh(pair).status_code == 200


def test_the_time_of_a_family_is_that_of_its_first_token(pair):
    second = refresh(pair).json()
    began = {
        jwt.RefreshToken(token["refresh"], verify=False)[jwt.BEGAN]
        for token in (pair, second)
    }
    assert len(began) == 1
    old = jwt.RefreshToken(second["refresh"])
    old[jwt.BEGAN] -= jwt.LONGEST_SECONDS + 1
    assert refresh({"refresh": str(old)}).status_code == 401


def test_other_families_go_on_when_one_ends(pair):
    other = obtain().json()
    refresh(pair)
    refresh(pair)
    assert refresh(other).status_code == 200


def test_revoked_family_is_refused(pair, analyst):
    (row,) = OutstandingToken.objects.all()
    jwt.end_family(analyst, row.token)
    assert refresh(pair).status_code == 401


def test_refresh_token_that_nobody_gave_out_is_refused(pair):
    OutstandingToken.objects.all().delete()
    assert refresh(pair).status_code == 401


def test_no_web_token_is_in_the_database(pair):
    (row,) = OutstandingToken.objects.values()
    kept = " ".join(map(str, row.values()))
    assert all(part not in kept for part in pair["refresh"].split("."))


def test_tokens_are_not_of_the_other_kind(pair, ask):
    assert ask(pair["refresh"]).status_code == 401
    assert post(REFRESH, refresh=pair["access"]).status_code == 401


@pytest.mark.parametrize("how", ["inactive", "password", "deleted"])
def test_tokens_end_with_the_user(pair, analyst, ask, how):
    if how == "inactive":
        User.objects.update(is_active=False)
    elif how == "password":
        analyst.set_password("another long one")
        analyst.save()
    else:
        analyst.delete()
    assert ask(pair["access"]).status_code == 401
    assert refresh(pair).status_code == 401


def claims(pair: dict) -> dict:
    return pyjwt.decode(pair["access"], options={"verify_signature": False})


def key() -> str:
    return live.SIMPLE_JWT["SIGNING_KEY"]


def encoded(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hand(header: dict, body: dict, secret: bytes = b"") -> str:
    """Signed with HMAC whatever the header says; with an empty secret not signed."""
    text = f"{encoded(header)}.{encoded(body)}"
    if not secret:
        return text + "."
    mark = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def changed(pair: dict, secret: str | None = None, **changes) -> str:
    """The access token with other claims, None taking one out, signed rightly."""
    body = {k: v for k, v in (claims(pair) | changes).items() if v is not None}
    return pyjwt.encode(body, secret or key(), algorithm="HS256")


def test_token_made_by_hand_with_the_right_key_is_taken(pair, ask):
    """Else the refusals below would prove nothing."""
    assert ask(changed(pair)).status_code == 200
    header = {"alg": "HS256", "typ": "JWT"}
    assert ask(by_hand(header, claims(pair), key().encode())).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_unsigned_token_is_refused(pair, ask, algorithm):
    assert ask(by_hand({"alg": algorithm}, claims(pair))).status_code == 401


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_other_algorithms_of_the_same_key_are_refused(pair, ask, algorithm):
    other = pyjwt.encode(claims(pair), key() * 2, algorithm=algorithm)
    assert ask(other).status_code == 401


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_key_confusion_is_refused(pair, ask, algorithm):
    forged = by_hand({"alg": algorithm}, claims(pair), key().encode())
    assert ask(forged).status_code == 401


def test_header_cannot_bring_its_own_key(pair, ask):
    own = "k" * 40
    more = {"jwk": {"kty": "oct", "k": own}, "kid": "/dev/null", "jku": "http://x/"}
    forged = pyjwt.encode(claims(pair), own, algorithm="HS256", headers=more)
    assert ask(forged).status_code == 401


def test_secret_key_signs_no_web_token(pair, ask):
    assert key() != live.SECRET_KEY
    assert ask(changed(pair, secret=live.SECRET_KEY)).status_code == 401


LONG_AGO = 1_700_000_000


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": LONG_AGO},
        {"exp": None},
        {"aud": "another-api"},
        {"aud": None},
        {"iss": "elsewhere"},
        {"iss": None},
        {"jti": None},
        {"token_type": None},
        {"token_type": "refresh"},
        {"user_id": None},
        {"user_id": "x"},
        {"user_id": "0"},
        {"password": None},
        {"password": ""},
    ],
    ids=lambda changes: "-".join(map(str, *changes.items())),
)
def test_claims_that_are_missing_or_wrong_are_refused(pair, ask, changes):
    answer = ask(changed(pair, **changes))
    assert answer.status_code == 401
    assert answer.json()["detail"] == "The credential is not good, or no longer."


@pytest.mark.parametrize("scope", [None, "", "products:read", ["analytics:read"], 5])
def test_foreign_scopes_open_nothing(pair, ask, scope):
    assert ask(changed(pair, scope=scope)).status_code == 403


@pytest.mark.parametrize("text", ["", "a", "a.b", "a.b.c", "é.é.é", "." * 5000])
def test_what_is_no_web_token_is_refused(pair, ask, text):
    assert post(REFRESH, refresh=text).status_code in (400, 401)
    assert ask(text or "x").status_code == 401


def test_body_must_be_json(analyst):
    form = {"username": "ada", "password": PASSWORD}
    assert Client().post(OBTAIN, form).status_code == 415


def test_a_body_that_is_too_large_is_not_read(analyst, settings):
    settings.API_MAX_BYTES = 50
    assert obtain().status_code == 413


@pytest.mark.parametrize("text", ["[" * 100_000, "\xff", "{", "null", "[]"])
def test_a_body_that_is_no_credential_is_refused(text):
    answer = Client().post(OBTAIN, text, content_type="application/json")
    assert answer.status_code == 400


def test_asking_often_is_throttled(analyst, counted):
    answers = [obtain() for _ in range(31)]
    assert [answer.status_code for answer in answers[29:]] == [200, 429]
    assert int(answers[-1]["Retry-After"]) > 0
