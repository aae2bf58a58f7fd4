"""Which tables are in which database, by what `migrate` really makes."""

import sqlite3
from contextlib import closing
from pathlib import Path

from dashboard.routers import USERS_APPS, UsersRouter
from tests.dashboard.test_settings import PRODUCTION, python

OWN = {"sqlite_sequence", "django_migrations"}
PREFIXES = (
    "access_",
    "auth_",
    "axes_",
    "django_admin_log",
    "django_content_type",
    "django_session",
    "oauth2_provider_",
    "otp_",
    "token_blacklist_",
)


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in rows} - OWN


def words(file: Path, sql: str) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        return {name for (name,) in connection.execute(sql)}


def migrate(folder: Path, *options: str, **environ: str) -> None:
    environ = PRODUCTION | {"DASHBOARD_VAR": str(folder)} | environ
    done = python("manage.py", "migrate", "-v0", *options, **environ)
    assert done.returncode == 0, done.stderr


def test_each_database_has_its_tables_and_no_others(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    migrate(one)
    users = two / "users.sqlite3"
    url = {"USERS_DATABASE_URL": f"sqlite:///{users}"}
    migrate(two, **url)
    assert not users.exists() or tables(users) == set()
    migrate(two, "--database=users", **url)

    everything = tables(one / "db.sqlite3")
    accounts = {name for name in everything if name.startswith(PREFIXES)}
    assert tables(users) == accounts
    assert tables(two / "db.sqlite3") == everything - accounts
    # The roles, with permissions about tables that are elsewhere.
    roles = words(users, "SELECT name FROM auth_group")
    assert roles == words(one / "db.sqlite3", "SELECT name FROM auth_group")
    codes = words(users, "SELECT codename FROM auth_permission")
    assert codes == words(one / "db.sqlite3", "SELECT codename FROM auth_permission")
    assert "view_rollup" in codes
    charts = words(two / "db.sqlite3", "SELECT graph_key FROM dashboard_stats")
    assert "page_views" in charts
    jobs = words(two / "db.sqlite3", "SELECT task FROM django_celery_beat_periodictask")
    assert "access.tasks.prune" in jobs


def test_other_databases_are_not_the_routers_business():
    router = UsersRouter()
    assert router.allow_migrate("archive", "auth") is None
    assert router.allow_migrate("users", "dashboard")
    assert not router.allow_migrate("users", "dashboard", tables="default")
    assert router.allow_migrate("default", "dashboard", tables="default")
    assert "analytics" not in USERS_APPS
