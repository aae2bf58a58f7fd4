"""A site to measure: a temporary folder, a Valkey and a database of its own.

Writes below the system's temporary folder only, and deletes it; ends the server that
it started.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dashboard.valkey import EmbeddedValkey

UNSET = ("DATABASE_URL", "REDIS_URL")


@contextmanager
def workspace(database: str = "") -> Iterator[EmbeddedValkey]:
    """Django is set up inside, on a running Valkey and an empty database: SQLite, or
    that of the URL."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        valkey = EmbeddedValkey(Path(folder))
        valkey.start()
        try:
            enter(folder, valkey.url, database)
            yield valkey
        finally:
            _leave()
            valkey.stop()


def enter(folder: str, redis_url: str, database: str = "") -> None:
    """Set Django up in this process, on what ``folder`` and ``redis_url`` hold."""
    os.environ.update(environment(folder), REDIS_URL=redis_url)
    if database:
        os.environ["DATABASE_URL"] = database
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def environment(folder: str) -> dict[str, str]:
    """What sends a process of this project into ``folder``."""
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    for name in UNSET:
        os.environ.pop(name, None)
    return {
        "DASHBOARD_LOCAL": "1",
        "DASHBOARD_VAR": folder,
        "SECRET_KEY": os.environ["SECRET_KEY"],
    }


def _leave() -> None:
    """Before the folder goes: nothing may write into it any more."""
    from django.db import connections

    from analytics.recording import recorder

    recorder._close_all()
    connections.close_all()
