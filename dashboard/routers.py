"""Which tables are in `users`: accounts and what belongs to them; others in `default`.

Asked by Django for every model. A data migration about tables of the other database
than its app's says so by the hint ``{"tables": "default"}`` or ``{"tables": "users"}``.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model

USERS_APPS = frozenset(
    {
        "access",
        # Its log names users and content types.
        "admin",
        "auth",
        "axes",
        # Permissions name them; nothing else of this site does.
        "contenttypes",
        # It has no tables; its migrations fill groups.
        "dashboard",
        "oauth2_provider",
        "otp_static",
        "otp_totp",
        "sessions",
        "token_blacklist",
    }
)


def database_of(app_label: str) -> str:
    return "users" if app_label in USERS_APPS else "default"


class UsersRouter:
    """In the setting DATABASE_ROUTERS, if there is a database `users`."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return database_of(model._meta.app_label)

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return database_of(one._meta.app_label) == database_of(other._meta.app_label)

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        if db not in ("default", "users"):
            return None
        return db == hints.get("tables", database_of(app_label))
