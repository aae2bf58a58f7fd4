"""Sessions, rights, pages and the audit list while accounts cannot be looked up."""

import logging
from contextlib import ExitStack, contextmanager

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.backends import db
from django.core.cache import caches
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django_otp.plugins.otp_totp.models import TOTPDevice

from access import audit, sessions
from access.factors import keeping
from access.models import GroupFactor, SignIn
from access.users import cached_db, copies, middleware
from access.users.outage import UsersUnavailable
from dashboard.routers import database_of

from .conftest import PASSWORD

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


def accounts() -> BaseDatabaseWrapper:
    return connections[router.db_for_write(User)]


def tables() -> set[str]:
    """Those of the database of accounts, quoted as in SQL."""
    models = apps.get_models(include_auto_created=True)
    theirs = [m._meta for m in models if database_of(m._meta.app_label) == "users"]
    return {accounts().ops.quote_name(meta.db_table) for meta in theirs}


@pytest.fixture
def outage():
    """While it is open, no account and no session is read or written."""
    theirs = tables()

    def execute(go_on, sql, *more):
        return refuse() if any(table in sql for table in theirs) else go_on(sql, *more)

    @contextmanager
    def away():
        with accounts().execute_wrapper(execute):
            yield
        # Nothing of it was sent; else the test's own transaction would be over.
        accounts().needs_rollback = False

    return away


@pytest.fixture
def down(outage):
    """From its call on."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(outage())


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


def group() -> Group:
    return Group.objects.get(name="Analyst")


def right() -> Permission:
    return group().permissions.get(codename="view_rollup")


def save(row: Model, **values: object) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


CHANGES = {
    "user": lambda ada: save(ada, is_active=False),
    "user deleted": lambda ada: ada.delete(),
    "groups of the user": lambda ada: ada.groups.clear(),
    "rights of the user": lambda ada: ada.user_permissions.add(right()),
    "user of the group": lambda ada: group().user_set.remove(ada),
    "all users of the group": lambda ada: group().user_set.clear(),
    "group": lambda ada: save(group(), name="Clerks"),
    "group deleted": lambda ada: group().delete(),
    "rights of the group": lambda ada: group().permissions.remove(right()),
    "groups of the right": lambda ada: right().group_set.clear(),
    "right": lambda ada: save(right(), codename="look_at_rollup"),
    "right deleted": lambda ada: right().delete(),
    "rule": lambda ada: GroupFactor.objects.create(group=group(), required=True),
    "factor": lambda ada: keeping.confirm(keeping.begin(ada)),
    "factor removed": lambda ada: keeping.remove(ada),
    "factor deleted": lambda ada: TOTPDevice.objects.all().delete(),
}


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    """What runs in it is committed."""
    alias = accounts().alias
    return lambda: django_capture_on_commit_callbacks(using=alias, execute=True)


@pytest.mark.parametrize("name", CHANGES)
def test_who_lost_a_right_does_not_have_it_back(analyst, browser, commit, down, name):
    key = analyst.pk
    if name in ("factor removed", "factor deleted"):
        with commit():
            CHANGES["factor"](analyst)
        copies.remember(analyst)
    assert copies.recall(key) == analyst
    with commit():
        CHANGES[name](analyst)
    assert copies.recall(key) is None
    down()
    answer = browser.get(HOME)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"


@pytest.mark.parametrize("name", ["groups of the user", "rights of the group"])
def test_who_reads_before_the_commit_keeps_nothing(analyst, browser, commit, name):
    before = User.objects.get(pk=analyst.pk)
    before.get_all_permissions()
    with commit():
        CHANGES[name](analyst)
        # Another process, which does not see it yet.
        copies._written.clear()
        copies.remember(before)
    assert copies.recall(analyst.pk) is None


def test_what_changes_while_a_copy_is_made_makes_it_none(analyst, browser, monkeypatch):
    copies.forget(analyst.pk)
    asked = copies.demand

    def meanwhile(user):
        copies.forget_all()
        return asked(user)

    monkeypatch.setattr(copies, "demand", meanwhile)
    copies.remember(analyst)
    assert copies.recall(analyst.pk) is None


def test_after_a_drop_by_another_process_there_is_a_copy_again(
    analyst, browser, monkeypatch
):
    kept = dict(copies._written)
    copies.forget_all()
    copies._written.update(kept)
    copies.remember(analyst)
    assert copies.recall(analyst.pk) is None
    now = copies.time.monotonic() + copies.EVERY
    monkeypatch.setattr(copies.time, "monotonic", lambda: now)
    copies.remember(analyst)
    assert copies.recall(analyst.pk) == analyst


def test_copy_of_somebody_else_is_none(analyst, superuser, browser):
    copies.remember(superuser)
    cache = caches[copies.settings.SESSION_CACHE_ALIAS]
    theirs = cache.get(copies.PREFIX + str(superuser.pk))
    cache.set(copies.PREFIX + str(analyst.pk), theirs)
    assert copies.recall(superuser.pk) == superuser
    assert copies.recall(analyst.pk) is None


def test_who_is_found_to_be_inactive_is_forgotten(browser, analyst, down):
    # Past every signal.
    QuerySet(User).filter(pk=analyst.pk).update(is_active=False)
    browser.get(HOME)
    down()
    assert browser.get(HOME).status_code == 503


def test_a_changed_password_ends_the_session_from_the_copy_too(browser, analyst):
    copy = copies.recall(analyst.pk)
    assert copy.get_session_auth_hash() == analyst.get_session_auth_hash()
    assert copy.password != analyst.password


def test_nobody_comes_in(down, analyst):
    down()
    form = {"username": "ada", "password": "correct horse battery"}
    answer = Client().post("/admin/login/?next=/admin/", form)
    assert answer.status_code == 503
    assert "database of accounts does not answer" in answer.text
    assert "no-store" in answer["Cache-Control"]


def test_signing_out_ends_the_session_for_good(browser, outage):
    key = browser.session.session_key
    with outage():
        assert browser.post("/admin/logout/").status_code == 200
    # Its row is there again; who kept the cookie is not in.
    assert db.SessionStore(key).load() != {}
    assert cached_db.SessionStore(key).load() == {}


FACTOR = "/admin/second-factor/"
TOKEN = {"name": "nightly", "scopes": ["analytics:read"], "days": "9"}
NEW = {"new_password1": "a new long password", "new_password2": "a new long password"}
REFUSED = {
    "password": ("/admin/password_change/", {"old_password": PASSWORD} | NEW),
    "wrong password": ("/admin/password_change/", {"old_password": "wrong"} | NEW),
    "reset": ("/admin/password_reset/", {"email": "ada@example.org"}),
    "reset with a link": ("/admin/reset/MQ/set-password/", NEW),
    "factor": (FACTOR + "begin/", {"password": PASSWORD}),
    "first code": (FACTOR + "confirm/", {"code": "000000"}),
    "taken away": (FACTOR + "remove/", {"password": PASSWORD}),
    "recovery codes": (FACTOR + "recovery/", {"password": PASSWORD}),
    "token": ("/admin/access/apitoken/add/", TOKEN),
    "consent": ("/oauth/authorize/?client_id=a&response_type=code", {"allow": "1"}),
    "grant": ("/oauth/token/", {"grant_type": "client_credentials", "client_id": "a"}),
    "web token": ("/api/v1/auth/jwt/", {"username": "ada", "password": PASSWORD}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_nothing_is_said_to_be_wrong_that_was_not_looked_at(
    analyst, browser, down, what
):
    path, body = REFUSED[what]
    kind = "application/json" if path.startswith("/api/") else MULTIPART_CONTENT
    down()
    answer = browser.post(path, body, kind)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    said = "Accounts cannot be" if kind == MULTIPART_CONTENT else '"unavailable"'
    assert said in answer.text


def test_copy_cannot_take_the_place_of_the_user(analyst, browser):
    copy = copies.recall(analyst.pk)
    for change in (copy.save, lambda: copy.set_password("a new long password")):
        with pytest.raises(UsersUnavailable):
            change()
    analyst.refresh_from_db()
    assert analyst.check_password(PASSWORD)


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
