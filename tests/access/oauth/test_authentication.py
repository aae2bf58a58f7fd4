"""Access tokens as credentials, and applications that act by themselves."""

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, router, transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from access.models import Application, SignIn
from access.oauth.models import CLIENT, PUBLIC
from access.oauth.validator import digest
from tests.access.oauth.dancing import Dance, register, register_machine

pytestmark = pytest.mark.django_db
REFUSED = SignIn.Kind.OAUTH_REFUSED
ALONE = {"grant_type": "client_credentials"}


def spoil(token: AccessToken, text: str, how: str) -> str:
    """The text of a token that is not good, in one of the ways there are."""
    if how == "expired":
        AccessToken.objects.update(expires=timezone.now())
    elif how == "revoked":
        token.delete()
    elif how == "inactive":
        User.objects.update(is_active=False)
    elif how == "application gone":
        Application.objects.all().delete()
    elif how == "digest":
        return f"ado_{digest(text)}"
    elif how == "checksum":
        return digest(text)
    elif how == "longer":
        return f"{text}x"
    elif how == "capitals":
        return text.swapcase()
    return text


WAYS = ["expired", "revoked", "inactive", "application gone", "digest", "checksum"]
WAYS += ["longer", "capitals"]


@pytest.mark.parametrize("how", WAYS)
def test_every_refusal_is_the_same(dance, ask, how):
    text = dance.tokens()["access_token"]
    assert ask(text).status_code == 200
    answer = ask(spoil(AccessToken.objects.get(), text, how))
    unknown = [ask(each) for each in ("ado_unknown", "ado_", "adt_a_b", "a.b.c", "x")]
    for other in unknown:
        assert (other.status_code, other.content) == (401, answer.content)
        assert other["WWW-Authenticate"] == answer["WWW-Authenticate"]
    assert answer.json()["code"] == "authentication_failed"


def test_refresh_tokens_and_codes_open_nothing(dance, ask):
    code = dance.code()
    pair = dance.exchange(code).json()
    for text in (code, pair["refresh_token"], dance.secret):
        assert ask(text).status_code == 401


def test_scope_of_the_method_is_asked_for(dance, ask):
    text = dance.tokens(scope="analytics:read")["access_token"]
    assert ask(text).status_code == 200
    answer = ask(text, "post")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert answer["Content-Type"] == "application/problem+json"
    foreign = dance.tokens(scope="products:read")["access_token"]
    assert ask(foreign).json()["code"] == "scope_missing"


def test_permissions_of_the_user_are_asked_as_well(dance, ask, analyst):
    text = dance.tokens(scope="products:read")["access_token"]
    path = "/api/v1/products/"
    assert ask(text, path=path).status_code == 200
    analyst.groups.set(Group.objects.none())
    answer = ask(text, path=path)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_token_beside_a_session_is_the_one_that_counts(dance, client, superuser):
    text = dance.tokens()["access_token"]
    client.force_login(superuser)
    headers = {"Authorization": f"Bearer {text}"}
    assert client.get("/api/v1/who/", headers=headers).json()["user"] == "ada"
    bad = {"Authorization": "Bearer ado_unknown"}
    assert client.get("/api/v1/who/", headers=bad).status_code == 401


# ── Applications that act by themselves ──────────────────────────────────────
def test_secret_alone_buys_a_token_that_acts_as_the_owner(machine, ask, lines):
    answer = machine.ask(ALONE)
    assert answer.status_code == 200
    made = answer.json()
    assert "refresh_token" not in made
    # What the application is allowed, and of use to its user.
    assert made["scope"] == "analytics:read products:read"
    assert ask(made["access_token"]).json()["user"] == "ada"
    (line,) = lines(SignIn.Kind.OAUTH_ISSUED)
    assert (line.name, line.detail) == ("ada", f"Nightly: {made['scope']}")
    assert not RefreshToken.objects.exists()


def test_it_can_ask_for_less_and_not_for_more(machine):
    less = machine.ask(ALONE | {"scope": "products:read"}).json()
    assert less["scope"] == "products:read"
    for scope in ("products:write", "products:read products:write", "users:delete"):
        answer = machine.ask(ALONE | {"scope": scope})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_without_anything_of_use_it_gets_nothing(machine, analyst):
    analyst.groups.set(Group.objects.none())
    assert machine.ask(ALONE).json()["error"] == "invalid_scope"


@pytest.mark.parametrize("how", ["inactive", "none"])
def test_without_an_active_owner_it_gets_nothing(machine, analyst, ask, how, lines):
    text = machine.ask(ALONE).json()["access_token"]
    if how == "inactive":
        User.objects.update(is_active=False)
    else:
        Application.objects.update(user=None)
    answer = machine.ask(ALONE)
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert ask(text).status_code == 401
    details = [line.detail for line in lines(REFUSED)]
    assert details == ["Nightly: no active user", "Nightly"]


def test_token_acts_as_the_owner_of_now(machine, ask, superuser):
    text = machine.ask(ALONE).json()["access_token"]
    Application.objects.update(user=superuser)
    assert ask(text).status_code == 401


def test_it_gets_nothing_for_a_code_or_a_refresh_token(machine, dance):
    for grant in ("authorization_code", "refresh_token"):
        sent = {"grant_type": grant, "code": "x", "refresh_token": "x"}
        answer = machine.ask(sent | {"redirect_uri": "x", "code_verifier": "x"})
        assert answer.json()["error"] in ("unauthorized_client", "invalid_grant")


def test_no_secret_is_no_empty_secret(analyst):
    accounts = transaction.atomic(using=router.db_for_write(Application))
    with pytest.raises(IntegrityError), accounts:
        register_machine(analyst, client_type=PUBLIC)
    public = register(analyst, client_type=PUBLIC)[0]
    for secret in ("", None):
        sent = ALONE | {"client_id": public.client_id, "client_secret": secret}
        answer = Dance(None, public, "").ask(sent)
        assert answer.status_code in (400, 401)


@pytest.mark.parametrize(
    "fields",
    [
        {"authorization_grant_type": "password"},
        {"authorization_grant_type": "implicit"},
        {"skip_authorization": True},
        {"hash_client_secret": False},
        {"authorization_grant_type": CLIENT, "client_type": PUBLIC},
    ],
)
def test_the_database_takes_no_other_applications(db, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        register(**fields)
