"""The database: its engine, the base of the models, and one session for a request.

Reads and writes what the URL names, SQLite or PostgreSQL. Never makes a table: that
is the business of the migrations.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Flask, current_app, g
from sqlalchemy import DateTime, Dialect, Engine, MetaData, TypeDecorator
from sqlalchemy import create_engine as create
from sqlalchemy.engine import make_url
from sqlalchemy.event import listen
from sqlalchemy.orm import DeclarativeBase, Session

BUSY_SECONDS = 20
# A constraint without a name could not be changed by a migration.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What all models have in common: the names of their constraints."""

    metadata = MetaData(naming_convention=NAMES)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC, also where the database knows of no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone.")
        return value.astimezone(UTC)

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value


def create_engine(url: str) -> Engine:
    """An engine that connects when it is first used, so after a fork."""
    if make_url(url).get_backend_name() != "sqlite":
        return create(url, pool_pre_ping=True)
    engine = create(url, connect_args={"timeout": BUSY_SECONDS})
    listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    """Readers beside a writer, and references that hold."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def get_session() -> Session:
    """The session of this request, made when it is first asked for."""
    if "session" not in g:
        g.session = Session(current_app.extensions["engine"])
    return g.session


def connect_app(app: Flask, url: str) -> None:
    app.extensions["engine"] = create_engine(url)

    @app.teardown_appcontext
    def close(error: BaseException | None) -> None:
        """What was not committed is taken back."""
        if session := g.pop("session", None):
            session.close()
