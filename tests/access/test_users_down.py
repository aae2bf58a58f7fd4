"""Sessions, rights, pages and the audit list while accounts cannot be looked up."""

import logging

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db.models import QuerySet
from django.test import Client

from access import audit, sessions
from access.models import SignIn
from access.users import cached_db, copies, middleware
from access.users.outage import UsersUnavailable

pytestmark = pytest.mark.django_db
BACKEND = "access.users.backend.RememberingBackend"
HOME = "/admin/"


@pytest.fixture(autouse=True)
def apart(settings):
    """As with USERS_DATABASE_URL, with a cache of this process for Redis."""
    memory = settings.CACHES["default"] | {"LOCATION": "users down"}
    settings.CACHES = settings.CACHES | {settings.SESSION_CACHE_ALIAS: memory}
    settings.SESSION_ENGINE = "access.users.cached_db"
    settings.AUTHENTICATION_BACKENDS = [
        "axes.backends.AxesStandaloneBackend",
        BACKEND,
    ]
    settings.USERS_APART = True
    copies._written.clear()
    kept = caches[settings.SESSION_CACHE_ALIAS]
    yield
    kept.clear()


def refuse(*args, **kwargs):
    raise UsersUnavailable("down")


@pytest.fixture
def down(monkeypatch):
    """From its call on, no account and no session is read or written."""

    def go() -> None:
        monkeypatch.setattr(ModelBackend, "get_user", refuse)
        monkeypatch.setattr(ModelBackend, "authenticate", refuse)
        for name in ("delete", "_get_session_from_db"):
            monkeypatch.setattr(db.SessionStore, name, refuse)
        # Where the database is asked: Django makes another error of it on the way.
        monkeypatch.setattr(Session, "save", refuse)
        monkeypatch.setattr(SignIn, "save", refuse)

    return go


@pytest.fixture
def browser(analyst) -> Client:
    found = Client(raise_request_exception=False)
    found.force_login(analyst, BACKEND)
    assert found.get(HOME).status_code == 200
    return found


def test_who_is_signed_in_stays_so_with_the_same_rights(browser, down):
    down()
    assert browser.get(HOME).status_code == 200
    assert browser.get("/admin/auth/user/").status_code == 403


def test_last_known_rights_end(browser, down, monkeypatch, settings):
    down()
    now = copies.time.time()
    for age, status in ((-1, 200), (1, 503)):
        at = now + settings.USERS_REMEMBER_SECONDS + age
        monkeypatch.setattr(copies.time, "time", lambda at=at: at)
        assert browser.get(HOME).status_code == status


@pytest.mark.parametrize("change", ["inactive", "group", "groups", "deleted"])
def test_who_lost_a_right_does_not_have_it_back(browser, analyst, down, change):
    key = analyst.pk
    assert copies.recall(key) == analyst
    if change == "inactive":
        analyst.is_active = False
        analyst.save()
    elif change == "group":
        analyst.groups.clear()
    elif change == "groups":
        Group.objects.get(name="Analyst").user_set.remove(analyst)
    else:
        analyst.delete()
    assert copies.recall(key) is None
    down()
    answer = browser.get(HOME)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"


def test_who_is_found_to_be_inactive_is_forgotten(browser, analyst, down):
    # Past every signal.
    QuerySet(User).filter(pk=analyst.pk).update(is_active=False)
    browser.get(HOME)
    down()
    assert browser.get(HOME).status_code == 503


def test_a_changed_password_ends_the_session_from_the_copy_too(browser, analyst):
    copy = copies.recall(analyst.pk)
    assert copy.get_session_auth_hash() == analyst.get_session_auth_hash()
    assert not copy.has_usable_password() or not copy.check_password("")
    assert copy.password != analyst.password


def test_nobody_comes_in(down, analyst):
    down()
    form = {"username": "ada", "password": "correct horse battery"}
    answer = Client().post("/admin/login/?next=/admin/", form)
    assert answer.status_code == 503
    assert "database of accounts does not answer" in answer.text
    assert "no-store" in answer["Cache-Control"]


def test_signing_out_ends_the_session_for_good(browser, down, monkeypatch):
    key = browser.session.session_key
    with monkeypatch.context() as outage:
        outage.setattr(db.SessionStore, "delete", refuse)
        outage.setattr(db.SessionStore, "save", refuse)
        assert browser.post("/admin/logout/").status_code == 200
    # Its row is there again; who kept the cookie is not in.
    assert db.SessionStore(key).load() != {}
    assert cached_db.SessionStore(key).load() == {}


def test_changes_of_a_session_are_kept_in_redis_alone(browser, down):
    key = browser.session.session_key
    down()
    session = cached_db.SessionStore(key)
    session["word"] = "kept"
    session.save()
    assert cached_db.SessionStore(key)["word"] == "kept"
    with pytest.raises(UsersUnavailable):
        cached_db.SessionStore().create()


def test_without_redis_sessions_are_in_the_database(browser, settings):
    settings.CACHES = settings.CACHES | {
        settings.SESSION_CACHE_ALIAS: {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert browser.get(HOME).status_code == 200


def test_a_line_that_cannot_be_written_goes_to_the_log(analyst, down, caplog):
    down()
    with caplog.at_level(logging.WARNING, logger="access"):
        audit.record(SignIn.Kind.TIMEOUT, None, analyst)
    assert f"Not in the list of sign-ins: timeout, user {analyst.pk}" in caplog.text


def test_api_says_it_as_a_problem(ask, make_token, monkeypatch):
    _token, text = make_token()
    monkeypatch.setattr("access.authentication._known", refuse)
    answer = ask(text)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unavailable"


def test_other_faults_are_not_taken_for_it(rf):
    assert (
        middleware.UsersDown(lambda _: None).process_exception(
            rf.get("/"), ValueError()
        )
        is None
    )


def test_a_session_goes_on_while_its_row_cannot_be_written(browser, down):
    down()
    session = browser.session
    session["word"] = "said meanwhile"
    session.save()
    assert cached_db.SessionStore(session.session_key)["word"] == "said meanwhile"
    # Its last use is due to be noted.
    session[sessions.SEEN] -= 2 * sessions.SEEN_EVERY
    session.save()
    assert browser.get(HOME).status_code == 200
    assert browser.session[sessions.SEEN] > session[sessions.SEEN]


def test_what_ended_meanwhile_is_not_written_again(browser, down):
    down()
    late = cached_db.SessionStore(browser.session.session_key)
    late["word"] = "read before"
    browser.session.delete()
    late.save()
    assert cached_db.SessionStore(late.session_key).load() == cached_db.ENDED


def test_what_ended_while_redis_was_away_does_not_come_back(browser, settings):
    session, there = browser.session, settings.CACHES
    away = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
    }
    settings.CACHES = there | {settings.SESSION_CACHE_ALIAS: away}
    cached_db.SessionStore(session.session_key).delete()
    settings.CACHES = there
    assert cached_db.SessionStore(session.session_key).load() == {}
    assert not cached_db.stale
