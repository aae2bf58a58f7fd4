"""Who owes a code is nobody, at every address that there is, and whatever is added."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.sessions.models import Session
from django.db import OperationalError, connections, router
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from access.factors import gate
from access.factors.models import Authenticator
from access.models import GroupFactor
from access.users.outage import UsersUnavailable
from tests.dashboard.addresses import addresses, samples

from ..conftest import PASSWORD
from .conftest import (
    BEGIN,
    CODE,
    CONFIRM,
    FACTOR,
    HOME,
    LOGIN,
    RECOVERY,
    REMOVE,
    give_code,
    give_factor,
    give_password,
    is_in,
    require,
    shown_by_app,
)

pytestmark = pytest.mark.django_db
OWN = {"factor", "factor_begin", "factor_confirm", "factor_code", "factor_picture"}
OWN |= {"factor_recovery", "factor_remove"}
WAYS_OUT = {"admin:logout", "admin:login"}
PASSWORD_PAGES = {"admin:password_change", "admin:password_change_done"}


def seen(browser: Client, url: str) -> tuple:
    """What tells one answer from another, for a reading and a changing request."""
    return tuple(
        (answer.status_code, answer.headers.get("Location", ""))
        for answer in (browser.get(url), browser.post(url))
    )


def differences(browser: Client, allowed: set[str]) -> list[str]:
    """Where it is treated otherwise than somebody who has not signed in."""
    places = [each for each in addresses(samples()) if each.name not in allowed]
    assert len(places) > 100
    return [name for name, url in places if seen(browser, url) != seen(Client(), url)]


@pytest.fixture
def chief(superuser) -> User:
    give_factor(superuser)
    return superuser


def test_password_alone_opens_no_address(catalogue, chief):
    browser = give_password(chief)
    assert differences(browser, OWN | WAYS_OUT) == []


def test_required_and_not_set_up_opens_no_address(catalogue, superuser, settings):
    settings.SECOND_FACTOR_REQUIRED = "superusers"
    browser = give_password(superuser)
    assert differences(browser, OWN | WAYS_OUT | PASSWORD_PAGES) == []


def test_api_takes_the_session_after_the_code_alone(half, analyst):
    who = "/api/v1/who/"
    assert half.get(who).status_code == 401
    give_code(half, shown_by_app(analyst))
    assert half.get(who).json()["user"] == "ada"


@pytest.mark.parametrize("path", [BEGIN, CONFIRM, RECOVERY, REMOVE, FACTOR])
def test_who_owes_a_code_cannot_change_the_factor(half, path):
    kept = list(Authenticator.objects.values())
    for answer in (half.get(path), half.post(path, {"password": PASSWORD})):
        assert answer["Location"] == CODE
    assert list(Authenticator.objects.values()) == kept


# Who has to have one.


def test_group_requires_it_of_its_members(analyst):
    browser = give_password(analyst)
    assert is_in(browser)
    require("Analyst")
    answer = browser.get(HOME, follow=True)
    assert answer.redirect_chain[-1][0].startswith(FACTOR)
    assert "A second factor is required" in answer.text
    browser.post(BEGIN)
    page = browser.post(CONFIRM, {"code": shown_by_app(analyst)})
    assert "Your recovery codes" in page.text
    assert is_in(browser)


def test_other_groups_require_nothing(analyst):
    require("Viewer")
    GroupFactor.objects.create(group=Group.objects.get(name="Analyst"))
    assert is_in(give_password(analyst))


@pytest.mark.parametrize(
    ("word", "analyst_in", "root_in"),
    [("groups", True, True), ("superusers", True, False), ("staff", False, False)],
)
def test_setting_requires_it(analyst, superuser, settings, word, analyst_in, root_in):
    settings.SECOND_FACTOR_REQUIRED = word
    assert is_in(give_password(analyst)) == analyst_in
    assert is_in(give_password(superuser)) == root_in


def test_before_setting_up_the_password_can_be_changed(analyst):
    require("Analyst")
    browser, new = give_password(analyst), "a new long password"
    assert browser.get("/admin/password_change/").status_code == 200
    body = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    done = browser.post("/admin/password_change/", body)["Location"]
    assert browser.get(done).status_code == 200
    assert not is_in(browser)
    analyst.refresh_from_db()
    assert analyst.check_password(new)


def test_required_factor_taken_away_has_to_be_set_up_anew(browser, analyst):
    require("Analyst")
    assert is_in(browser)
    browser.post(REMOVE, {"code": shown_by_app(analyst)})
    assert not is_in(browser)
    assert browser.get(FACTOR).status_code == 200


# What it costs.


def queries(browser: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connections[router.db_for_read(User)]) as found:
        assert browser.get(path).status_code == 200
    return [query["sql"] for query in found]


def test_pages_of_the_shop_ask_nothing(browser, catalogue):
    for path in ("/", "/products/", "/products/brass-pen/", "/about/"):
        anonymous = Client().get(path)
        asked = queries(browser, path)
        assert len(asked) == len(queries(Client(), path)), path
        words = ("session", "auth_", "otp_", "access_")
        assert not [sql for sql in asked if any(word in sql for word in words)], path
        assert "Cookie" not in anonymous.get("Vary", "")


def test_page_of_the_admin_asks_once(browser, analyst, client):
    path = "/admin/password_change/"
    client.force_login(User.objects.create_user("eve", is_staff=True))
    for one in (browser, client):
        one.get(path)
        asked = queries(one, path)
        assert len([sql for sql in asked if "otp_totp" in sql]) == 1
        assert not [sql for sql in asked if sql.startswith(("UPDATE", "INSERT"))]


def test_asynchronous_views_see_the_same(half, analyst):
    def user_of(browser: Client):
        request = RequestFactory().get("/")
        request.session = browser.session
        request.user = User.objects.get(pk=analyst.pk)
        request.user.is_verified = lambda: "otp_device_id" in request.session
        gate.FactorGate(lambda request: HttpResponse()).process_request(request)
        return async_to_sync(request.auser)()

    assert user_of(half).is_anonymous
    give_code(half, shown_by_app(analyst))
    assert user_of(half) == analyst


# While accounts cannot be reached.


def last_known(session, user: User, owes: bool, monkeypatch) -> User:
    """Whom the gate takes for the session's user while accounts are away."""

    def down(user):
        raise UsersUnavailable("no answer")

    request = RequestFactory().get("/")
    request.session, request._cached_user = session, user
    user.is_verified, user.owes_factor = (lambda: False), owes
    monkeypatch.setattr(gate, "demand", down)
    return gate.admitted(request, user)


def test_who_was_in_stays_in_as_last_known(browser, analyst, monkeypatch):
    assert last_known(browser.session, analyst, False, monkeypatch) == analyst


def test_who_gave_a_code_stays_in_and_who_has_not_does_not(half, analyst, monkeypatch):
    before = dict(half.session)
    give_code(half, shown_by_app(analyst))
    assert last_known(half.session, analyst, True, monkeypatch) == analyst
    for session in (before, before | {gate.ADMITTED: True}):
        with pytest.raises(UsersUnavailable):
            last_known(session, analyst, True, monkeypatch)


def test_other_faults_of_the_database_let_nobody_in(browser, analyst, monkeypatch):
    def slow(user):
        raise OperationalError("statement timeout")

    monkeypatch.setattr(gate, "demand", slow)
    request = RequestFactory().get("/")
    request.session, request._cached_user = browser.session, analyst
    analyst.is_verified = lambda: False
    with pytest.raises(OperationalError, match="statement timeout"):
        gate.admitted(request, analyst)


def test_nobody_is_nobody(client):
    request = RequestFactory().get("/")
    request.session = {}
    assert gate.admitted(request, AnonymousUser()).is_anonymous
    assert request.session == {}
    assert client.get(HOME)["Location"].startswith(LOGIN)
    assert not Session.objects.exists()
