"""Under real servers: each answered request is one event, however its client went."""

import re
from contextlib import contextmanager
from pathlib import Path

import pytest

from analytics.recording.folder import producer_directories
from tests.analytics.recording.server import Server
from tests.analytics.recording.site import CHUNKS, LONG, MIDDLEWARE

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


@contextmanager
def serving(folder: Path, name: str, *options: str, code: str = ""):
    """A site under one of `SERVERS`; `code` is added to its application."""
    (folder / "site_settings.py").write_text(SETTINGS)
    code = (ASGI if name == "uvicorn" else WSGI) + code
    environ = {"DJANGO_SETTINGS_MODULE": "site_settings"}
    site = Server(folder, [*SERVERS[name], *options], code, **environ)
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
