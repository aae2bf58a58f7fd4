"""Applied and pending migrations by database, and the page that shows them."""

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import ConnectionHandler
from django.urls import reverse

from analytics.reporting import databases

pytestmark = pytest.mark.django_db
GONE = ("products", "0005_product_keys")


@pytest.fixture
def page(client, settings):
    settings.ANALYTICS_REDIS_URL = "redis://127.0.0.1:1/0"
    client.force_login(User.objects.create_superuser("root", "", "x"))
    return lambda: client.get(reverse("admin:analytics_health"))


@pytest.fixture
def unapplied():
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(*GONE)
    yield
    recorder.record_applied(*GONE)


def test_all_is_applied():
    found = databases.migrations_of("default")
    assert found.ok
    assert found.pending == ()
    assert found.applied == len(MigrationRecorder(connection).applied_migrations())
    assert found.vendor == connection.display_name


@pytest.mark.usefixtures("unapplied")
def test_what_is_pending_is_named_with_the_command(page):
    found = databases.migrations_of("default")
    assert not found.ok
    assert found.pending == (".".join(GONE),)
    assert found.command == "manage.py migrate"
    text = page().text
    assert '<span class="analytics-state missing">1</span>' in text
    assert "<code>manage.py migrate</code>" in text
    assert "products.0005_product_keys" in text


def test_a_database_that_is_down_is_told_in_words(page, monkeypatch, tmp_path):
    config = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path / "no such folder" / "db"),
    }
    both = {alias: connections.databases[alias] for alias in connections}
    handler = ConnectionHandler({**both, "other": config})
    for alias in both:
        handler[alias] = connections[alias]
    monkeypatch.setattr(databases, "connections", handler)
    monkeypatch.setattr(databases.router, "routers", [])
    by_alias = {found.alias: found for found in databases.all_migrations()}
    assert by_alias["default"].ok
    assert by_alias["other"].applied is None
    assert not by_alias["other"].ok
    assert by_alias["other"].command == "manage.py migrate --database=other"
    assert "It cannot be asked: unable to open database file." in page().text


def test_a_database_that_no_table_is_made_in_is_not_shown(monkeypatch):
    class Nothing:
        def allow_migrate(self, *args, **hints):
            return False

    monkeypatch.setattr(databases.router, "routers", [Nothing()])
    assert databases.all_migrations() == []


def test_parts_that_do_not_run_are_marked(page):
    assert '<span class="analytics-state missing">does not run</span>' in page().text
