"""The databases of this site: `default`, and `users` if accounts have their own.

Reads DATABASE_URL, USERS_DATABASE_URL and USERS_DATABASE_TIMEOUT. Nobody is to wait
long for `users`: what does not need it goes on without it.
"""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from dashboard import env

Config = dict[str, Any]

SQLITE_OPTIONS = {
    # A writer that waits its turn from the start cannot fail half way through.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # FULL: a committed count survives a power cut, also in WAL mode.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}
# Strict: what does not fit is an error, not cut off.
SQL_MODE = (
    "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"
)
ENGINES = {
    "django.db.backends.mysql": "access.users.mysql",
    "django.db.backends.postgresql": "access.users.postgresql",
    "django.db.backends.sqlite3": "access.users.sqlite3",
}


def configured(var: Path) -> dict[str, Config]:
    """The setting DATABASES."""
    found = {"default": default(var)}
    if url := env.text("USERS_DATABASE_URL"):
        found["users"] = users(url)
    return found


def default(var: Path) -> Config:
    """SQLite in `var/` unless DATABASE_URL names another database."""
    url = env.text("DATABASE_URL", "sqlite:///" + quote(str(var / "db.sqlite3")))
    config = parse(url)
    if config["ENGINE"] == "django.db.backends.mysql":
        raise ImproperlyConfigured(
            "DATABASE_URL must name SQLite or PostgreSQL; MySQL and MariaDB can hold "
            "accounts: USERS_DATABASE_URL."
        )
    return config


def users(url: str) -> Config:
    config = parse(url)
    seconds = env.number("USERS_DATABASE_TIMEOUT", 3)
    options = config["OPTIONS"]
    if config["ENGINE"] == "django.db.backends.mysql":
        options |= mysql_options(seconds)
    elif config["ENGINE"] == "django.db.backends.postgresql":
        options |= postgresql_options(seconds) | options
        options["connect_timeout"] = max(2, seconds)
    if config["ENGINE"] not in ENGINES:
        raise ImproperlyConfigured(
            "USERS_DATABASE_URL must name MySQL, MariaDB, PostgreSQL or SQLite."
        )
    return config | {"ENGINE": ENGINES[config["ENGINE"]]}


def postgresql_options(seconds: int) -> Config:
    """The server limits a statement, the system a machine that is gone; nobody limits a
    server that holds a connection open and does not answer."""
    return {
        "options": f"-c statement_timeout={seconds}s",
        # In milliseconds, for what was sent; for what is waited for, keepalives.
        "tcp_user_timeout": seconds * 1000,
        "keepalives_idle": seconds,
        "keepalives_interval": 1,
        "keepalives_count": 3,
    }


def mysql_options(seconds: int) -> Config:
    return {
        "charset": "utf8mb4",
        "collation": "utf8mb4_bin",
        "isolation_level": "read committed",
        "init_command": f"SET SESSION sql_mode = '{SQL_MODE}'",
        "connect_timeout": seconds,
        "read_timeout": seconds,
        "write_timeout": seconds,
    }


def parse(url: str) -> Config:
    """A database as Django's settings name it, with what its vendor needs."""
    config = dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"] == "django.db.backends.sqlite3":
        options.update(SQLITE_OPTIONS)
    elif config["ENGINE"] == "django.db.backends.postgresql":
        options.setdefault("connect_timeout", 5)
    return config
