"""Under real servers: each answered request is one event, however its client went."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from analytics.recording.event import RequestEvent, decode
from analytics.recording.folder import producer_directories
from tests.analytics.recording.site import CHUNKS, LONG, MIDDLEWARE, journal_lines

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = f"""
SECRET_KEY = "x" * 50
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.analytics.recording.site"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth",
                  "django.contrib.sessions", "analytics"]
MIDDLEWARE = {MIDDLEWARE!r}
DATABASES = {{
    "default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
}}
ANALYTICS_JOURNAL_DIR = "journal"
ANALYTICS_REDIS_URL = "unix://nowhere.sock"
ANALYTICS_IGNORE = ()
USE_TZ = True
"""
WSGI = """
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
ASGI = """
from django.core.asgi import get_asgi_application
application = get_asgi_application()
"""
GUNICORN = ["gunicorn", "app", "--bind=unix:s", "--no-control-socket"]
SERVERS = {
    "sync": [*GUNICORN, "--workers=1"],
    "gthread": [*GUNICORN, "--workers=1", "--threads=4"],
    "two, preloaded": [*GUNICORN, "--workers=2", "--preload"],
    "churning": [*GUNICORN, "--workers=1", "--max-requests=3"],
    "uvicorn": ["uvicorn", "app:application", "--uds=s", "--lifespan=off"],
}


class Connection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("testserver", timeout=20)
        self.path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Site:
    """A server process in a folder of its own."""

    def __init__(self, folder: Path, command: list[str], code: str) -> None:
        self.folder = folder
        (folder / "site_settings.py").write_text(SETTINGS)
        asgi = command[0] == "uvicorn"
        (folder / "app.py").write_text((ASGI if asgi else WSGI) + code)
        path = os.pathsep.join((str(folder), str(ROOT)))
        environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "site_settings"}
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**environ, "PYTHONPATH": path},
                stdout=log,
                stderr=log,
            )
        wait_for(self.is_up)

    def is_up(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.folder / "s")) == 0

    def ask(self, path: str, method: str = "GET") -> tuple[int, bytes]:
        connection = Connection(self.folder / "s")
        connection.request(method, path)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def leave(self, path: str, after: int = 0) -> None:
        """Ask, read `after` bytes of the answer, and go."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(self.folder / "s"))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: testserver\r\n\r\n".encode())
            while after > 0:
                after -= len(client.recv(after))

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def events(self) -> list[RequestEvent]:
        return [decode(line) for line in journal_lines(self.journal)]

    def wait_for_events(self, count: int) -> list[RequestEvent]:
        wait_for(lambda: len(self.events()) >= count)
        events = self.events()
        assert len(events) == count
        return events

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


def wait_for(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@contextmanager
def serving(folder: Path, name: str, *options: str, code: str = ""):
    """A site under one of `SERVERS`; `code` is added to its application."""
    site = Site(folder, [*SERVERS[name], *options], code)
    try:
        yield site
    finally:
        site.stop()


@pytest.mark.parametrize("name", SERVERS)
def test_each_answer_is_one_event(tmp_path, name):
    with serving(tmp_path, name) as site:
        expected = []
        for path in ("/ok/", "/absent/", "/boom/", "/redirect/", "/empty/", "/ok"):
            status, _ = site.ask(path)
            expected.append(status)
        assert expected == [200, 404, 500, 302, 204, 301]
        assert site.ask("/ok/", "HEAD") == (200, b"")
        events = site.wait_for_events(7)
        assert sorted(e.status for e in events) == sorted([*expected, 200])
        assert [e.bytes for e in events if e.method == "HEAD"] == [0]


@pytest.mark.parametrize("name", ["sync", "gthread", "uvicorn"])
def test_streams_and_files(tmp_path, name):
    with serving(tmp_path, name) as site:
        stream = "/async/stream/" if name == "uvicorn" else "/stream/"
        assert site.ask(stream) == (200, b"".join(CHUNKS))
        assert site.ask("/file/") == (200, LONG)
        events = site.wait_for_events(2)
        assert {e.bytes for e in events} == {len(b"".join(CHUNKS)), len(LONG)}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("sync", "/endless/sync/"),
        ("gthread", "/endless/sync/"),
        ("uvicorn", "/endless/"),
    ],
)
def test_a_client_that_leaves_a_stream(tmp_path, name, path):
    with serving(tmp_path, name) as site:
        site.leave(path, after=5_000)
        (event,) = site.wait_for_events(1)
        assert (event.status, event.exception) == (200, "")
        assert event.bytes >= 4_000
        assert site.ask("/ok/")[0] == 200
        site.wait_for_events(2)


def test_a_client_that_leaves_before_the_answer(tmp_path):
    with serving(tmp_path, "uvicorn") as site:
        site.leave("/slow/")
        (event,) = site.wait_for_events(1)
        assert (event.status, event.exception, event.bytes) == (499, "", 0)


def test_a_worker_that_takes_too_long(tmp_path):
    with serving(tmp_path, "sync", "--timeout=1") as site:
        site.leave("/hang/")
        (event,) = site.wait_for_events(1)
        assert (event.status, event.exception) == (500, "SystemExit")


@pytest.mark.parametrize("name", ["two, preloaded", "churning"])
def test_every_process_is_a_producer_of_its_own(tmp_path, name):
    with serving(tmp_path, name) as site:
        for _ in range(20):
            assert site.ask("/ok/")[0] == 200
        site.wait_for_events(20)
        producers = [path.name for path in producer_directories(site.journal)]
        assert len(producers) >= (1 if "two" in name else 7)
        assert all(re.fullmatch(r"[0-9a-f]{16}", name) for name in producers)


def test_a_file_is_sent_by_the_kernel(tmp_path):
    """gunicorn uses sendfile when the body is a `wsgi.file_wrapper` of a real file."""
    with serving(tmp_path, "sync", code=SENDFILE_LOG) as site:
        assert site.ask("/file/") == (200, LONG)
        site.wait_for_events(1)
        assert (tmp_path / "sendfile").read_text() == "True"


SENDFILE_LOG = """
from gunicorn.http.wsgi import Response
sendfile = Response.sendfile
def logged(self, respiter):
    used = sendfile(self, respiter)
    with open("sendfile", "w") as log:
        log.write(str(used))
    return used
Response.sendfile = logged
"""
