"""Fixtures for all tests: a filled catalogue, members of staff, free ports."""

import os
import socket

import pytest

# Playwright's synchronous API runs an event loop in the test's own thread, which Django
# would take for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items):
    """Mark what asks a database, which may be `users`, too; and bring all in order."""
    from django.conf import settings

    for item in items:
        mark = item.get_closest_marker("django_db")
        fixtures = {"db", "transactional_db"} & set(item.fixturenames)
        if not (mark or fixtures):
            continue
        item.add_marker(pytest.mark.database)
        if settings.USERS_APART:
            options = dict(mark.kwargs) if mark else {}
            if "transactional_db" in fixtures:
                options["transaction"] = True
            both = pytest.mark.django_db(**options | {"databases": "__all__"})
            item.add_marker(both, append=False)
    # First what takes minutes: tests run side by side, and the last is waited for.
    items.sort(key=is_short)


def is_short(item) -> bool:
    """Also what asks a database, whose order is that of pytest-django: what empties the
    tables comes last."""
    names = {mark.name for mark in item.iter_markers()}
    return "acceptance" not in names or "database" in names


@pytest.fixture
def catalogue(db):
    from products.catalogue import seed

    return seed()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def in_ci() -> bool:
    """In CI a missing optional part is a failure, on a laptop a skip."""
    return bool(os.environ.get("CI"))
