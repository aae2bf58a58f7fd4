"""The whole site as `make run` starts it, for tests and pictures: on a free port, with
all its state in a folder, and ended when done."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS_OWN = (
    "DJANGO_SETTINGS_MODULE",
    "SECRET_KEY",
    "JWT_KEY",
    "REDIS_URL",
    "DATABASE_URL",
)
LOGIN = re.compile(r"Admin +\S+, user admin, password (\S+) ")


@dataclass(frozen=True)
class RunningSite:
    """A site that answers."""

    address: str
    password: str
    """Of the user ``admin``."""
    environ: dict[str, str]

    def manage(self, *words: str) -> str:
        """Run a command of ``manage.py`` on it; what it said."""
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, check=True, capture_output=True
        ).stdout.decode()


@contextmanager
def running_site(folder: Path, **more: str) -> Iterator[RunningSite]:
    """Starts it, and stops it as Ctrl-C would."""
    port = _free_port()
    environ = {k: v for k, v in os.environ.items() if k not in TESTS_OWN}
    environ |= {"DASHBOARD_VAR": str(folder), "PORT": str(port), **more}
    environ["DASHBOARD_LOCAL"] = "1"
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard.run"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        password = _password(process)
        # What it says from now on must not fill the pipe.
        rest = threading.Thread(target=process.stdout.read, daemon=True)
        rest.start()
        yield RunningSite(f"http://127.0.0.1:{port}", password, environ)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        process.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _password(process: subprocess.Popen) -> str:
    said = ""
    for line in process.stdout:
        said += line
        if found := LOGIN.search(line):
            return found[1]
    raise AssertionError(f"the site ended before it was up:\n{said}")
