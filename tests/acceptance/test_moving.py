"""`move_database`: a demo goes from SQLite to PostgreSQL, its accounts to MariaDB."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.databases import ROOT, Sqlite
from tests.acceptance.numbers import UNTIL

PEOPLE = """
from django.contrib.auth.models import Group, User
ann = User.objects.create_superuser("Ann", "ann@example.org", "a long password")
twin = User.objects.create_user("ann", first_name="Ann 😀", is_staff=True)
twin.groups.set(Group.objects.filter(name__in=("Viewer", "Analyst")))
Group.objects.get(name="Scheduler").delete()
"""


class Site:
    """The commands of a site on given databases; nothing of it runs."""

    def __init__(self, folder: Path, **databases: str) -> None:
        self.env = {
            "PATH": os.environ["PATH"],
            "DASHBOARD_LOCAL": "1",
            "DASHBOARD_VAR": str(folder),
            "SECRET_KEY": "the same for all processes, and long enough to be one",
            "DJANGO_SETTINGS_MODULE": "tests.acceptance.users_settings",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            **databases,
        }

    def run(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def manage(self, *words: str) -> str:
        done = self.run("django", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def numbers(self) -> dict:
        done = self.run("tests.acceptance.numbers")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """The file of a small demo, with two people who differ by a capital letter."""
    folder = tmp_path_factory.mktemp("demo")
    file = folder / "db.sqlite3"
    site = Site(folder, DATABASE_URL=Sqlite(file).url)
    site.manage("migrate", "-v0")
    site.manage("demo", "--days", "7", "--until", UNTIL, "--visits", "40")
    site.manage("shell", "-v0", "-c", PEOPLE)
    return file


def test_everything_arrives(demo, postgres_server, mariadb_server, tmp_path):
    accounts = mariadb_server.make()
    there = postgres_server.make()
    old = Site(tmp_path, DATABASE_URL=Sqlite(demo).url)
    new = Site(tmp_path, DATABASE_URL=there.url, USERS_DATABASE_URL=accounts.url)

    said = new.manage("move_database", "--from", str(demo))

    assert "read back and the same" in said
    before = old.numbers()
    assert before["overview"]["tiles"]["views"]["text"] != "0"
    assert new.numbers() == before
    assert accounts.query(
        "SELECT first_name FROM auth_user WHERE username = 'ann'"
    ) == (("Ann 😀",),)
    # Staff had deleted a group: it does not come back with the target's own.
    names = accounts.query("SELECT name FROM auth_group ORDER BY name")
    assert [name for (name,) in names] == ["Analyst", "Product manager", "Viewer"]
    # Numbers go on where they ended.
    new.manage("shell", "-v0", "-c", PEOPLE.replace("Ann", "Bea").split("twin")[0])
    new.manage(
        *("shell", "-v0", "-c"),
        "from products.models import *; Category.objects.create(name='N', slug='n')",
    )


def test_a_target_in_use_is_left_alone(demo, postgres_server, tmp_path):
    there = postgres_server.make()
    new = Site(tmp_path, DATABASE_URL=there.url)
    new.manage("move_database", "--from", str(demo))

    again = new.run("django", "move_database", "--from", str(demo))

    assert again.returncode != 0
    assert "The target is in use" in again.stderr
    assert there.query("SELECT count(*) FROM auth_user") == [(2,)]


def test_what_fails_half_way_leaves_nothing(demo, postgres_server, tmp_path):
    there = postgres_server.make()
    new = Site(tmp_path, DATABASE_URL=there.url)
    new.manage("migrate", "-v0")
    there.query(
        "ALTER TABLE products_product ADD CONSTRAINT odd CHECK (price < 0) NOT VALID"
    )

    done = new.run("django", "move_database", "--from", str(demo))

    assert "products_product: new row" in done.stderr
    for table in ("auth_user", "analytics_rollup", "products_product"):
        found = there.query(f"SELECT count(*) FROM {table}")  # noqa: S608
        assert found == [(0,)]


def test_a_file_that_is_written_to_is_not_moved(demo, postgres_server, tmp_path):
    new = Site(tmp_path, DATABASE_URL=postgres_server.make().url)
    with closing(sqlite3.connect(demo, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        done = new.run("django", "move_database", "--from", str(demo))
        writer.execute("ROLLBACK")
    assert "stop web, workers and beat first" in done.stderr


def test_there_must_be_a_file(tmp_path):
    new = Site(tmp_path)
    done = new.run("django", "move_database", "--from", str(tmp_path / "none"))
    assert "There is no file" in done.stderr
    assert not (tmp_path / "none").exists()
