"""`make flask`: what it finds out beside a dashboard, and what it says if it cannot."""

import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from analytics.recording.names import derived_key
from flask_shop.config import Refusal
from flask_shop.run import environ_beside
from tests.acceptance.processes import Process
from tests.acceptance.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
SHOP = ROOT / "examples" / "flask_shop"
REDIS = {"ANALYTICS_REDIS_URL": "redis://127.0.0.1:1/0"}
OURS = ("ANALYTICS_", "DASHBOARD_", "FLASK_", "REDIS_", "SECRET_", "DJANGO_", "PORT")


@pytest.fixture
def var(tmp_path) -> Path:
    """The state of a dashboard that runs."""
    (tmp_path / "secret_key").write_text("the dashboard's key\n")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "redis.sock"))
    return tmp_path


def found(var: Path, **more: str) -> dict[str, str]:
    return environ_beside({"DASHBOARD_VAR": str(var), **more})


def test_all_is_found_beside_a_dashboard(var):
    environ = found(var)
    assert environ["ANALYTICS_REDIS_URL"] == f"unix://{var / 'redis.sock'}"
    assert environ["ANALYTICS_KEY"] == "the dashboard's key"
    assert environ["ANALYTICS_JOURNAL_DIR"] == str(var / "journal")
    assert environ["PORT"] == "8001"
    assert environ["FLASK_SHOP_LOCAL"] == "1"


def test_its_key_is_the_one_that_the_dashboard_derives(var, settings):
    """Here the dashboard's settings are those of the tests."""
    from django.conf import settings as theirs

    from analytics.conf import get_config

    (var / "secret_key").write_text(theirs.SECRET_KEY)
    assert derived_key(found(var)["ANALYTICS_KEY"]) == get_config().recorder.key


def test_its_own_secret_is_made_once_and_private(var):
    first = found(var)["FLASK_SHOP_SECRET_KEY"]
    assert found(var)["FLASK_SHOP_SECRET_KEY"] == first
    assert len(first) >= 32
    assert first != "the dashboard's key"
    file = var / "flask_shop" / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"ANALYTICS_KEY": "a", "SECRET_KEY": "s"}, "a"),
        ({"ANALYTICS_KEY": "", "SECRET_KEY": "s"}, "s"),
    ],
)
def test_what_is_said_goes_before_what_is_found(var, said, key):
    environ = found(var, REDIS_URL="redis://redis.example.org/1", PORT="9", **said)
    assert environ["ANALYTICS_KEY"] == key
    assert environ["ANALYTICS_REDIS_URL"] == "redis://redis.example.org/1"
    assert environ["PORT"] == "9"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "start `make run` first, or set ANALYTICS_REDIS_URL"),
        (REDIS, "set ANALYTICS_KEY to that of the dashboard"),
        (REDIS | {"ANALYTICS_KEY": "a", "PORT": "x"}, "PORT must lie between"),
        (REDIS | {"ANALYTICS_KEY": "a", "PORT": "65536"}, "PORT must lie between"),
    ],
)
def test_what_cannot_be_found_is_named(tmp_path, said, sentence):
    with pytest.raises(Refusal, match=sentence):
        found(tmp_path, **said)


def shell(var: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    path = f"{ROOT}{os.pathsep}{SHOP}"
    return kept | {"PYTHONPATH": path, "DASHBOARD_VAR": str(var), **more}


def test_a_refusal_is_one_sentence(tmp_path):
    bad = "postgresql://nobody@127.0.0.1:1/none"
    for more, sentence in [
        ({}, "No dashboard runs on"),
        (
            REDIS | {"ANALYTICS_KEY": "a", "FLASK_SHOP_DATABASE_URL": bad},
            "The database cannot be used: connection to server",
        ),
    ]:
        said = subprocess.run(
            [sys.executable, "-m", "flask_shop.run"],
            env=shell(tmp_path, **more),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert said.returncode == 1
        assert said.stderr.startswith(sentence)
        assert said.stderr.count("\n") == 1


def test_it_serves_and_ends(var, tmp_path, free_port):
    words = [sys.executable, "-m", "flask_shop.run"]
    process = Process(words, tmp_path / "log", shell(var, PORT=str(free_port)))
    address = f"http://127.0.0.1:{free_port}"

    def answer() -> str:
        try:
            # Our own address.
            with urllib.request.urlopen(address, timeout=5) as found:
                return found.read().decode()
        except OSError:
            assert process.is_running(), process.said()
            return ""

    try:
        wait_until(lambda: "18 products" in answer(), "a page", state=process.said)
        wait_until(lambda: len(process.children()) == 2, "two workers")
        os.kill(process.pid, signal.SIGINT)
        assert process.wait() == 0
        assert f"Shop   {address}/" in process.said()
        assert (var / "flask_shop" / "shop.sqlite3").is_file()
    finally:
        process.kill9()
