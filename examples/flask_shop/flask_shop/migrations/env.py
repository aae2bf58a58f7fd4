"""How Alembic reaches the database: by the URL of the shop's settings.

Reads the URL from the caller (`flask_shop.upgrading`), else from the environment;
writes the schema, one revision in one transaction, also on SQLite.
"""

import os
from pathlib import Path

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.event import listen

from flask_shop import models
from flask_shop.config import database_url
from flask_shop.database import create_engine


def main() -> None:
    url = context.config.attributes.get("url") or database_url(os.environ)
    if (parsed := make_url(url)).get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        listen(engine, "connect", _leave_transactions_to_us)
        listen(engine, "begin", _begin)
    try:
        with engine.connect() as connection:
            _migrate(connection)
    finally:
        engine.dispose()


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=models.Base.metadata,
        # SQLite changes a table by making it anew.
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _leave_transactions_to_us(connection, record) -> None:
    """Python's driver would let changes of tables run outside of a transaction.

    References are not followed meanwhile: a table that is made anew is dropped once.
    """
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=OFF")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


if context.is_offline_mode():
    raise SystemExit("These migrations move data: they need the database.")
main()
