"""A site whose processes cannot import Django: counted all the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from analytics import sites
from analytics.conf import get_config
from analytics.models import Producer, Rollup
from analytics.rollup import job
from analytics.rollup.buckets import Grain

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("django", "asgiref", "celery", "numpy"):
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())

import asyncio
from analytics.recording.asgi import AsgiRecorder
from analytics.recording.options import Options
from analytics.recording.wsgi import WsgiRecorder

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    environ["analytics.route"] = "/p/<slug>"
    return [b"hello"]

async def asgi(scope, receive, send):
    scope["analytics.route"] = "/async/"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})

async def keep(message):
    pass

options = Options.from_environ()
one, other = WsgiRecorder(wsgi, options), AsgiRecorder(asgi, options)
for _ in range(3):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/p/lamp", "REMOTE_ADDR": "::1"}
    one(environ, lambda status, headers: None)
scope = {"type": "http", "method": "GET", "path": "/a", "headers": []}
asyncio.run(other(scope, None, keep))
assert not [name for name in sys.modules if name.startswith("django")]
"""


@pytest.fixture
def flask_site(site_stream, tmp_path):
    """The environment of a second site with the dashboard's key."""
    config = get_config().recorder
    return {
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ANALYTICS_SITE": "flask-shop",
        "ANALYTICS_KEY": "shared by both sites",
        "ANALYTICS_REDIS_URL": config.redis_url,
        "ANALYTICS_JOURNAL_DIR": str(tmp_path / "flask"),
    }


@pytest.mark.django_db
def test_it_is_recorded_shipped_waits_and_is_counted(site, flask_site):
    site.ANALYTICS_KEY = "shared by both sites"
    job._jobs.clear()
    run = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(run, env=flask_site, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert job.drain_once() == ""
    assert not Rollup.objects.filter(site="flask-shop").exists()
    (waiting,) = sites.waiting()
    assert (waiting.name, waiting.registered) == ("flask-shop", False)
    assert waiting.batches >= 1

    sites.register("flask-shop", "ada")
    assert "4 events" in job.drain_once()
    rows = Rollup.objects.of("flask-shop", "route", Grain.DAY)
    counts = dict(rows.values_list("key", "requests"))
    assert counts == {"/p/<slug>": 3, "/async/": 1}
    line = Producer.objects.get(site="flask-shop")
    assert (line.recorded, line.counted, line.lost) == (4, 4, 0)
    assert sites.waiting() == []
    for one in job._jobs.values():
        one.shipper.release()
    job._jobs.clear()
