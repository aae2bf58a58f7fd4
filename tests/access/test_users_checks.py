"""The checks of two databases."""

import pytest
from django.db import connections, router

from access.users import checks


class Split:
    """A router that puts content types apart from what refers to them."""

    def db_for_write(self, model, **hints):
        return "users" if model._meta.app_label == "contenttypes" else "default"


def ids(messages) -> list[str]:
    return [message.id for message in messages]


def test_nothing_crosses():
    assert checks.check_crossing() == []


def test_what_crosses_is_named(monkeypatch):
    monkeypatch.setattr(router, "routers", [Split()])
    found = {str(message.obj) for message in checks.check_crossing()}
    assert "auth.Permission.content_type" in found
    assert "admin.LogEntry.content_type" in found
    assert set(ids(checks.check_crossing())) == {"access.E010"}


@pytest.mark.parametrize(
    ("place", "same"),
    [
        ({"NAME": "one", "HOST": "db.example.org", "PORT": 5432}, True),
        ({"NAME": "two", "HOST": "db.example.org", "PORT": 5432}, False),
        ({"NAME": "one", "HOST": "other.example.org", "PORT": 5432}, False),
    ],
)
def test_one_database_is_not_two(place, same):
    default = {"ENGINE": "django.db.backends.postgresql", "NAME": "one"}
    default |= {"HOST": "db.example.org", "PORT": 5432}
    assert (
        checks.are_one(default, place | {"ENGINE": "access.users.postgresql"}) is same
    )
    assert not checks.are_one(default, place | {"ENGINE": "access.users.mysql"})
    if not checks.settings.USERS_APART:
        assert checks.check_same_database() == []


def test_sessions_in_the_database_alone_are_warned_of(settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    settings.USERS_APART = True
    assert ids(checks.check_sessions()) == ["access.W010"]
    settings.SESSION_ENGINE = "access.users.cached_db"
    assert checks.check_sessions() == []


def test_other_servers_have_no_collation_to_look_at():
    if connections["default"].vendor != "mysql":
        assert checks.check_collation(databases=["default"]) == []
