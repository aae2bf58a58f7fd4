"""A database of accounts that does not answer: one exception, and no long waits."""

import pytest
from django.db import DatabaseError, OperationalError, connections
from django.db.utils import load_backend

from access.users import outage
from access.users.outage import RETRY_AFTER, UsersUnavailable


@pytest.fixture
def clock(monkeypatch):
    """A time that is set: seconds after the start."""

    def at(seconds: float) -> None:
        monkeypatch.setattr(outage.time, "monotonic", lambda: 1000.0 + seconds)

    at(0)
    return at


@pytest.fixture
def database(tmp_path, clock):
    """A guarded SQLite whose folder is not there yet."""
    config = {"ENGINE": "access.users.sqlite3", "NAME": str(tmp_path / "var" / "db")}
    complete = connections.configure_settings({"default": config})["default"]
    found = load_backend(complete["ENGINE"]).DatabaseWrapper(complete, "accounts")
    yield found
    found.close()
    outage.breakers.clear()


def works(database) -> bool:
    with database.cursor() as cursor:
        return cursor.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.django_db
def test_one_that_is_down_is_asked_again_only_after_a_while(database, tmp_path, clock):
    with pytest.raises(UsersUnavailable, match="unable to open"):
        works(database)
    (tmp_path / "var").mkdir()
    clock(RETRY_AFTER - 0.1)
    with pytest.raises(UsersUnavailable, match="not asked again so soon"):
        works(database)
    clock(RETRY_AFTER)
    assert works(database)
    database.close()
    assert works(database)


@pytest.mark.django_db
def test_what_is_wrong_with_a_question_is_no_outage(database, tmp_path):
    (tmp_path / "var").mkdir()
    assert works(database)
    with pytest.raises(OperationalError, match="no such table") as caught:
        database.cursor().execute("SELECT 1 FROM missing")
    assert not isinstance(caught.value, UsersUnavailable)
    assert works(database)


@pytest.mark.django_db
@pytest.mark.parametrize("is_lost", [True, False])
def test_connection_that_was_lost_is_one_by_whatever_name(
    database, tmp_path, monkeypatch, is_lost
):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "db").write_text("what a driver cannot make sense of" * 99)
    monkeypatch.setattr(type(database), "is_lost", lambda self: is_lost)
    with pytest.raises(DatabaseError, match="not a database") as caught:
        database.cursor().execute("SELECT * FROM sqlite_master")
    assert not isinstance(caught.value.__cause__, OperationalError)
    assert isinstance(caught.value, UsersUnavailable) == is_lost


def test_while_one_tries_the_others_are_refused(clock):
    breaker = outage.Breaker()
    assert [breaker.lets_in(), breaker.lets_in()] == [True, True]
    breaker.trip()
    clock(RETRY_AFTER)
    assert [breaker.lets_in(), breaker.lets_in()] == [True, False]
    breaker.reset()
    assert breaker.lets_in()
