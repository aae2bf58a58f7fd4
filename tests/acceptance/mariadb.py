"""A MariaDB of the tests' own: a folder, a Unix socket, no network, gone with them.

Needs `mariadbd` and `mariadb-install-db` of the system. ``python -m
tests.acceptance.mariadb COMMAND`` runs it with a fresh one as USERS_DATABASE_URL.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymysql

from tests.acceptance.processes import Process
from tests.acceptance.waiting import wait_until

Rows = tuple[tuple[Any, ...], ...]
PLACES = "/usr/sbin:/usr/local/sbin:/usr/libexec:/opt/homebrew/bin"
SMALL = (
    "--skip-networking",
    "--skip-log-bin",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    "--performance-schema=OFF",
)


def program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":" + PLACES)


def is_missing() -> str:
    """Which program of the server is not there; empty if it can be started."""
    names = ("mariadbd", "mariadb-install-db")
    return ", ".join(name for name in names if program(name) is None)


class MariaDb:
    """A server that can be killed, hung and started again on the same data."""

    def __init__(self) -> None:
        # Not the tests' folder: the path of a Unix socket must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
        self.socket = self.folder / "s"
        self._data = self.folder / "data"
        self._process: Process | None = None
        self._numbers = count()
        # As root the server asks for a name of who it is to run as.
        self._user = ["--user=root"] if os.geteuid() == 0 else []
        self._install()
        self.start()

    def _install(self) -> None:
        words = [
            program("mariadb-install-db"),
            "--no-defaults",
            *self._user,
            f"--datadir={self._data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        subprocess.run(words, check=True, capture_output=True, timeout=120)

    def start(self) -> None:
        # A killed one leaves it behind, and the driver an open file for each refusal.
        self.socket.unlink(missing_ok=True)
        words = [program("mariadbd"), "--no-defaults", *self._user, *SMALL]
        words += [f"--datadir={self._data}", f"--socket={self.socket}"]
        words += [f"--pid-file={self.folder / 'pid'}"]
        self._process = Process(words, self.folder / "log", dict(os.environ))
        wait_until(self.answers, "MariaDB answers", 60, state=self._process.said)

    def answers(self) -> bool:
        try:
            return self.socket.exists() and self.query("SELECT 1") == ((1,),)
        except pymysql.Error:
            return False

    def query(self, sql: str, database: str | None = None) -> Rows:
        connection = pymysql.connect(
            unix_socket=str(self.socket),
            user="root",
            database=database,
            charset="utf8mb4",
            autocommit=True,
            read_timeout=20,
        )
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def make(self) -> MariaDatabase:
        """A fresh database, whose own default is that `A` is `a`."""
        name = f"users_{next(self._numbers)}"
        self.query(
            f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
        )
        return MariaDatabase(self, name)

    def kill9(self) -> None:
        self._process.kill9()

    def suspend(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        self.kill9()
        shutil.rmtree(self.folder)


class MariaDatabase:
    """A database of that server."""

    def __init__(self, server: MariaDb, name: str) -> None:
        self.server = server
        self.name = name
        socket = quote(str(server.socket), safe="")
        self.url = f"mysql://root@/{name}?unix_socket={socket}"

    def query(self, sql: str) -> Rows:
        return self.server.query(sql, self.name)


def main(command: list[str]) -> int:
    server = MariaDb()
    try:
        environment = os.environ | {"USERS_DATABASE_URL": server.make().url}
        return subprocess.run(command, env=environment).returncode
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
