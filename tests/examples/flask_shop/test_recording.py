"""What the shop hands to the recorder: each request once, under its route."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analytics.recording.event import RequestEvent, decode
from flask_shop.recording import options_of

ROOT = Path(__file__).resolve().parents[3]
ASKING = Path(__file__).with_name("asking.py")
CATALOGUE = ("/", "shop.catalogue")
PRODUCT = ("/products/<slug:slug>/", "shop.product")
NOWHERE = ("", "")
ASKED = {
    "GET /": (200, *CATALOGUE),
    "HEAD /?q=tea": (200, *CATALOGUE),
    "GET /category/oolong/": (200, "/category/<slug:category>/", "shop.catalogue"),
    "GET /products/clay-pot/": (200, *PRODUCT),
    "GET /products/none/": (404, *PRODUCT),
    "POST /products/clay-pot/order/": (400, f"{PRODUCT[0]}order/", "shop.order"),
    "GET /products/clay-pot": (308, *NOWHERE),
    "GET /nothing/here": (404, *NOWHERE),
    "POST /": (405, *NOWHERE),
}
IGNORED = ["GET /healthz", "GET /static/leaf.svg"]
IRRELEVANT = ("ANALYTICS_", "DASHBOARD_", "DJANGO_", "FLASK_")


@pytest.fixture
def environ(settings, filled, tmp_path) -> dict[str, str]:
    """As of a shell in which the dashboard was started, too."""
    shutil.copy(filled, settings.database_url.removeprefix("sqlite:///"))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(IRRELEVANT)}
    return kept | {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'examples' / 'flask_shop'}",
        "FLASK_SHOP_SECRET_KEY": settings.secret_key,
        "FLASK_SHOP_DATABASE_URL": settings.database_url,
        "FLASK_SHOP_LOCAL": "1",
        "ANALYTICS_SITE": "dashboard",
        "ANALYTICS_IGNORE": "/products/",
        "ANALYTICS_HOSTS": "admin.example.org",
        "ANALYTICS_KEY": "a key of the tests",
        # Nobody listens there: what is recorded stays in the journal.
        "ANALYTICS_REDIS_URL": "redis://127.0.0.1:1/0",
        "ANALYTICS_JOURNAL_DIR": str(tmp_path / "journal"),
    }


def ask(environ: dict[str, str], asked: list[str]) -> tuple[list[int], set[str]]:
    """The answers' statuses, and the modules that were imported."""
    found = subprocess.run(
        [sys.executable, "-W", "error", ASKING],
        input="\n".join(asked),
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 0, found.stderr
    *statuses, modules = found.stdout.splitlines()
    return list(map(int, statuses)), set(modules.split())


def events(environ: dict[str, str]) -> list[RequestEvent]:
    files = Path(environ["ANALYTICS_JOURNAL_DIR"]).glob("*/*.jsonl")
    return [decode(line) for file in files for line in file.read_bytes().splitlines()]


def test_each_request_once_under_its_route(environ):
    statuses, _ = ask(environ, [*ASKED, *IGNORED])
    assert statuses == [status for status, *_ in ASKED.values()] + [200, 200]
    found = events(environ)
    assert [(e.status, e.route, e.view) for e in found] == list(ASKED.values())
    assert [e.method for e in found] == [asked.split()[0] for asked in ASKED]
    assert {e.host for e in found} == {"localhost"}
    assert [e.page for e in found] == [
        asked.startswith("GET") and status == 200
        for asked, (status, *_) in ASKED.items()
    ]


def test_an_error_names_what_was_raised(environ, settings):
    Path(settings.database_url.removeprefix("sqlite:///")).unlink()
    assert ask(environ, ["GET /"])[0] == [500]
    (event,) = events(environ)
    assert (event.status, event.route) == (500, "/")
    assert event.exception == "sqlalchemy.exc.OperationalError"


def test_django_is_not_needed(environ):
    """Nor anything of this repository but the recorder."""
    _, modules = ask(environ, ["GET /", "GET /products/clay-pot/"])
    assert {"flask", "flask_shop", "analytics", "sqlalchemy"} <= modules
    foreign = {"django", "celery", "numpy", "datasketches", "dashboard", "products"}
    assert not modules & foreign


def test_the_environment_cannot_name_another_site(environ):
    options = options_of(environ, ["shop.example.org"])
    assert (options.site, options.hosts) == ("flask_shop", ("shop.example.org",))
    assert options.ignore == ("/static/", "/healthz")
    assert options.key == "a key of the tests"
