"""Sessions: new at the sign-in, dead after it ends, for whatever reason."""

import pytest
from django.conf import settings as live
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from access import sessions
from access.models import SignIn

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db
HOME = "/admin/"
START = 1_800_000_000


@pytest.fixture
def clock(monkeypatch):
    """A time that is set: seconds after the start."""

    def at(seconds: int) -> None:
        monkeypatch.setattr(sessions, "now", lambda: START + seconds)

    at(0)
    return at


def sign_in(browser: Client, password: str = PASSWORD):
    body = {"username": "ada", "password": password}
    answer = browser.post("/admin/login/?next=/admin/", body)
    assert answer.status_code == 302, answer.text
    return answer


def key(browser: Client) -> str:
    return browser.cookies[live.SESSION_COOKIE_NAME].value


def with_key(value: str) -> Client:
    browser = Client()
    browser.cookies[live.SESSION_COOKIE_NAME] = value
    return browser


def is_in(browser: Client, **headers: str) -> bool:
    return browser.get(HOME, headers=headers).status_code == 200


@pytest.fixture
def browser(analyst, clock) -> Client:
    found = Client()
    sign_in(found)
    return found


def test_planted_key_is_not_the_one_that_is_signed_in(analyst):
    victim = Client()
    victim.get("/admin/login/")
    planted = victim.session
    planted["anything"] = 1
    planted.save()
    victim.cookies[live.SESSION_COOKIE_NAME] = planted.session_key
    sign_in(victim)
    assert key(victim) != planted.session_key
    assert is_in(victim)
    assert not is_in(with_key(planted.session_key))


def test_made_up_key_is_not_taken_over(analyst):
    victim = with_key("a" * 32)
    sign_in(victim)
    assert key(victim) != "a" * 32


def test_key_is_dead_after_the_logout(browser):
    old = key(browser)
    assert is_in(with_key(old))
    browser.post("/admin/logout/")
    assert not is_in(with_key(old))


def test_all_other_sessions_are_dead_after_a_change_of_the_password(browser, analyst):
    elsewhere = Client()
    sign_in(elsewhere)
    old = key(browser)
    new = "a new long password"
    body = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert browser.post("/admin/password_change/", body).status_code == 302
    assert is_in(browser)
    assert not is_in(elsewhere)
    assert not is_in(with_key(old))


def test_session_ends_after_a_time_without_use(browser, clock, lines):
    clock(live.SESSION_IDLE_SECONDS - 1)
    assert is_in(browser)
    clock(2 * live.SESSION_IDLE_SECONDS - 2)
    assert is_in(browser)
    old = key(browser)
    clock(3 * live.SESSION_IDLE_SECONDS)
    assert not is_in(browser)
    assert not Session.objects.filter(session_key=old).exists()
    (line,) = lines(SignIn.Kind.TIMEOUT)
    assert line.name == "ada"


def test_session_ends_some_hours_after_the_sign_in(browser, clock):
    step = live.SESSION_IDLE_SECONDS // 2
    for seconds in range(0, live.SESSION_ABSOLUTE_SECONDS, step):
        clock(seconds)
        assert is_in(browser), seconds
    clock(live.SESSION_ABSOLUTE_SECONDS)
    assert not is_in(browser)
    sign_in(browser)
    assert is_in(browser)


def test_what_a_page_fetches_by_itself_is_no_use(browser, clock):
    fetched = {"Sec-Fetch-Dest": "empty"}
    half = live.SESSION_IDLE_SECONDS // 2
    clock(half)
    assert is_in(browser, **fetched)
    clock(2 * half)
    assert not is_in(browser)


def test_session_from_before_goes_on_from_now(browser, clock):
    session = browser.session
    del session[sessions.BEGUN], session[sessions.SEEN]
    session.save()
    clock(live.SESSION_ABSOLUTE_SECONDS)
    assert is_in(browser)
    clock(2 * live.SESSION_ABSOLUTE_SECONDS)
    assert not is_in(browser)


def test_use_is_written_once_a_minute(browser, clock):
    clock(30)
    is_in(browser)
    assert browser.session[sessions.SEEN] == START
    clock(61)
    is_in(browser)
    assert browser.session[sessions.SEEN] == START + 61


def test_page_that_asks_for_nobody_costs_no_query(
    browser, catalogue, django_assert_num_queries
):
    with django_assert_num_queries(0):
        answer = browser.get("/favicon.ico")
    assert "Cookie" not in answer.get("Vary", "")


@pytest.mark.parametrize("engine", ["cache", "cached_db"])
def test_other_engines_work_alike(analyst, clock, settings, engine):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    local = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = settings.CACHES | {"sessions": {"BACKEND": local}}
    browser = Client()
    sign_in(browser)
    assert is_in(browser)
    clock(live.SESSION_IDLE_SECONDS)
    assert not is_in(browser)


def test_forged_value_of_the_cache_is_no_session():
    serializer = sessions.SealedSerializer()
    value = {"_auth_user_id": "1", "access_begun": 5}
    sealed = serializer.dumps(value)
    assert serializer.loads(sealed) == value
    assert serializer.loads(sealed[:-1] + b"!") is None
    assert serializer.loads(b"cos\nsystem\n(S'id'\ntR.") is None
    assert serializer.loads(b"\xff") is None


def test_inactive_user_is_out_at_once(browser):
    User.objects.update(is_active=False)
    assert not is_in(browser)


@pytest.mark.parametrize("target", ["https://evil.example.org/", "//evil.example.org"])
def test_nobody_is_sent_elsewhere_after_the_sign_in(analyst, target):
    body = {"username": "ada", "password": PASSWORD, "next": target}
    answer = Client().post(f"/admin/login/?next={target}", body)
    assert answer["Location"] == HOME
