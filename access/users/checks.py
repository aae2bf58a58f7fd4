"""The system checks of two databases: nothing crosses, and `A` is not `a`.

Read the models, the settings and, with ``--database users``, the columns of its tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.db import DatabaseError, connections, router
from django.db.models import Field

TAG = "access"
PLACE = ("NAME", "HOST", "PORT")
COLLATION = "utf8mb4_bin"


def connect() -> None:
    checks.register(check_crossing, TAG, checks.Tags.models)
    checks.register(check_same_database, TAG)
    checks.register(check_sessions, TAG)
    checks.register(check_collation, TAG, checks.Tags.database)


def check_crossing(**kwargs: Any) -> list[checks.CheckMessage]:
    """A foreign key is a promise that only one database can keep."""
    return [
        checks.Error(
            f"{field} refers to a table of another database.",
            hint="Keep the id or the name in a plain column, or route both tables "
            "to the same database (dashboard/routers.py).",
            obj=field,
            id="access.E010",
        )
        for field in crossing()
    ]


def crossing() -> Iterator[Field]:
    for model in apps.get_models(include_auto_created=True):
        here = router.db_for_write(model)
        for field in model._meta.local_fields:
            other = field.remote_field and field.related_model
            if other and router.db_for_write(other) != here:
                yield field


def check_same_database(**kwargs: Any) -> list[checks.CheckMessage]:
    """Migrations that one alias has run would count as run by the other."""
    if not settings.USERS_APART:
        return []
    if not are_one(settings.DATABASES["default"], settings.DATABASES["users"]):
        return []
    return [
        checks.Error(
            "USERS_DATABASE_URL and DATABASE_URL name the same database.",
            hint="Unset USERS_DATABASE_URL to keep accounts there, or name another.",
            id="access.E011",
        )
    ]


def are_one(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two databases of the settings are the same, as far as these tell."""
    kinds = {config["ENGINE"].rpartition(".")[2] for config in (first, second)}
    return len(kinds) == 1 and all(first.get(p) == second.get(p) for p in PLACE)


def check_sessions(**kwargs: Any) -> list[checks.CheckMessage]:
    if not settings.USERS_APART or not settings.SESSION_ENGINE.endswith("backends.db"):
        return []
    return [
        checks.Warning(
            "Sessions are in the database of accounts alone: while it is down, nobody "
            "is signed in.",
            hint="Set SESSION_ENGINE to cached_db, or leave it unset.",
            id="access.W010",
        )
    ]


def check_collation(databases: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    alias = router.db_for_write(get_user_model())
    if alias not in (databases or ()) or connections[alias].vendor != "mysql":
        return []
    try:
        return list(_collation(alias))
    except DatabaseError:
        # Django says itself that it cannot be reached.
        return []


def _collation(alias: str) -> Iterator[checks.CheckMessage]:
    for table, collation in _ignoring_case(alias):
        yield checks.Error(
            f"Columns of {table} are compared by {collation}: there, A is a.",
            hint=f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4 COLLATE "
            f"{COLLATION}; with foreign_key_checks = 0, for all tables.",
            id="access.E012",
        )


def _ignoring_case(alias: str) -> list[tuple[str, str]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT table_name, collation_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND collation_name NOT LIKE %s"
            " ORDER BY 1, 2",
            ["utf8mb4%bin"],
        )
        return cursor.fetchall()
