"""`make run`: refusals in a sentence; start, stop, nothing left behind."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]


def environ(var: Path, port: int, **more: str) -> dict[str, str]:
    """As a person's shell has it: nothing of the tests' own settings."""
    ours = {"DJANGO_SETTINGS_MODULE", "REDIS_URL", "DATABASE_URL"}
    ours |= {"SECRET_KEY", "JWT_KEY"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"DASHBOARD_VAR": str(var), "PORT": str(port), **more}


def start(var: Path, port: int, **more: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "dashboard.run"],
        cwd=ROOT,
        env=environ(var, port, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def refusal(var: Path, port: int, **more: str) -> str:
    process = start(var, port, **more)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "Traceback" not in said
    return said.strip()


def test_busy_port_is_explained(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(tmp_path, port)
    assert said.startswith(f"Port {port} cannot be used")
    assert f"make run PORT={port + 1}" in said


@pytest.mark.parametrize("port", ["eighty", "70000"])
def test_impossible_port_is_explained(tmp_path, port):
    assert refusal(tmp_path, port).startswith("PORT must")


def test_unreachable_database_is_explained_without_its_password(tmp_path, free_port):
    url = "postgres://shop:s3cret@127.0.0.1:1/shop"
    said = refusal(tmp_path, free_port, DATABASE_URL=url)
    assert said.startswith("The database at 127.0.0.1:1 cannot be reached")
    assert "s3cret" not in said
    assert not running_on(tmp_path)


def running_on(var: Path) -> list[psutil.Process]:
    """Every process that was started for this `var`, whoever its parent is now."""
    found = []
    for process in psutil.process_iter():
        try:
            # The server writes its title over its environment, but works in its folder.
            mine = process.environ().get("DASHBOARD_VAR") == str(var)
            mine = mine or Path(process.cwd()).is_relative_to(var)
        except psutil.Error:
            continue
        if mine and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def read_until(process: subprocess.Popen, pattern: str) -> str:
    said = ""
    for line in process.stdout:
        said += line
        if re.search(pattern, line):
            return said
    raise AssertionError(f"ended without {pattern!r}:\n{said}")


@pytest.fixture
def site(tmp_path, free_port) -> Iterator[tuple[Path, int]]:
    """A folder and a port; whatever still runs there afterwards is ended."""
    yield tmp_path, free_port
    for process in running_on(tmp_path):
        process.kill()


def end(process: subprocess.Popen, number: signal.Signals) -> str:
    os.killpg(process.pid, number)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    return rest


@pytest.mark.acceptance
def test_second_run_keeps_the_data_and_both_end_cleanly(site):
    var, port = site
    first = start(var, port)
    said = read_until(first, "Admin  http")
    assert re.search(r"user admin, password \S{20}", said)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/products/") as page:
        assert page.status == 200
    assert "already running" in refusal(var, port + 1)
    end(first, signal.SIGINT)
    assert running_on(var) == []

    second = start(var, port)
    assert "password" not in read_until(second, "Admin  http")
    end(second, signal.SIGTERM)
    assert running_on(var) == []
    for name in ("secret_key", "jwt_key"):
        assert stat.S_IMODE((var / name).stat().st_mode) == 0o600
    assert (var / "secret_key").read_text() != (var / "jwt_key").read_text()


@pytest.mark.acceptance
def test_signal_while_starting_leaves_nothing(site):
    var, port = site
    process = start(var, port)
    read_until(process, "started")
    end(process, signal.SIGTERM)
    assert running_on(var) == []


@pytest.mark.acceptance
def test_site_ends_when_one_of_its_processes_does(site):
    var, port = site
    process = start(var, port)
    read_until(process, "Admin  http")
    (beat,) = (child for child in running_on(var) if "beat" in child.cmdline())
    beat.kill()
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert running_on(var) == []


@pytest.mark.acceptance
def test_dead_redis_is_started_again(site):
    var, port = site
    process = start(var, port)
    read_until(process, "Admin  http")
    (dead,) = servers(var)
    dead.kill()
    deadline = time.monotonic() + 20
    while servers(var) in ([], [dead]):
        assert time.monotonic() < deadline
    end(process, signal.SIGINT)
    assert running_on(var) == []


def servers(var: Path) -> list[psutil.Process]:
    return [p for p in running_on(var) if folder_of(p) == var / "redis"]


def folder_of(process: psutil.Process) -> Path | None:
    """None of one that has just ended."""
    try:
        return Path(process.cwd())
    except psutil.Error:
        return None
