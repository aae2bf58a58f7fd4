"""Copies every table out of an SQLite file, and believes it only when it adds up.

The source is locked meanwhile, so that it is of one moment. The target is written in
one transaction of each database: all of it is there in the end, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DatabaseError, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import load_backend

from dashboard import databases

from .tables import Adder, Sum, Table, all_tables, sum_of

SOURCE = "source"
SEEDED_APPS = {"admin_tools_stats", "contenttypes", "django_celery_beat"}
SEEDED_MODELS = {
    "analytics.site",
    "auth.group",
    "auth.permission",
    "auth.group_permissions",
}
"""What `migrate` fills by itself; of the target it goes, the source's comes."""
Report = Callable[[Table, Sum], None]


class CannotMove(Exception):
    """Why not, in a sentence. Nothing was changed but that tables were made."""


def move(path: Path, report: Report) -> int:
    """Everything from that file to the configured databases; the number of rows."""
    with source(path):
        tables = all_tables()
        aliases = list(dict.fromkeys(["default", *(table.alias for table in tables)]))
        for alias in aliases:
            call_command("migrate", database=alias, interactive=False, verbosity=0)
        refuse_other_version()
        refuse_filled(tables)
        with ExitStack() as stack:
            stack.enter_context(locked())
            for alias in aliases:
                stack.enter_context(transaction.atomic(using=alias))
                stack.enter_context(connections[alias].constraint_checks_disabled())
            return copy_all(tables, aliases, report)


@contextmanager
def source(path: Path) -> Iterator[None]:
    """The file as a database of this process, under an alias that no router knows."""
    path = path.resolve()
    if not path.is_file():
        raise CannotMove(f"There is no file {path}.")
    target = connections["default"].settings_dict
    if Path(str(target["NAME"])).resolve() == path:
        raise CannotMove("Set DATABASE_URL to the database that the data is to go to.")
    config = databases.parse("sqlite:///" + quote(str(path)))
    # Who writes to it is not waited for.
    config["OPTIONS"]["timeout"] = 2
    complete = connections.configure_settings({"default": config})["default"]
    backend = load_backend(complete["ENGINE"])
    connections[SOURCE] = backend.DatabaseWrapper(complete, SOURCE)
    try:
        yield
    finally:
        connections[SOURCE].close()
        del connections[SOURCE]


@contextmanager
def locked() -> Iterator[None]:
    """Nobody else writes to the source; SQLite's transactions here begin as writers."""
    try:
        with transaction.atomic(using=SOURCE):
            yield
    except DatabaseError as error:
        if "locked" not in str(error):
            raise
        raise CannotMove(
            "Somebody writes to the file: stop web, workers and beat first."
        ) from error


def refuse_other_version() -> None:
    here = set(MigrationRecorder(connections["default"]).applied_migrations())
    there = set(MigrationRecorder(connections[SOURCE]).applied_migrations())
    if other := sorted(".".join(name) for name in here ^ there):
        raise CannotMove(
            "The file is of another version of this site: run `manage.py migrate` on "
            f"it with this one first ({other[0]} and {len(other) - 1} more differ)."
        )


def refuse_filled(tables: list[Table]) -> None:
    for table in tables:
        meta = table.model._meta
        seeded = meta.app_label in SEEDED_APPS or meta.label_lower in SEEDED_MODELS
        if not seeded and not table.is_empty():
            raise CannotMove(
                f"The target is in use: {table.name} has rows. Name an empty database."
            )


def copy_all(tables: list[Table], aliases: list[str], report: Report) -> int:
    for table in tables:
        table.clear()
    rows = 0
    for table in tables:
        done = copied(table)
        report(table, done)
        rows += done.rows
    for alias in aliases:
        finish(alias, [table for table in tables if table.alias == alias])
    return rows


def copied(table: Table) -> Sum:
    """Raises `CannotMove` unless the same is there as was read."""
    adder = Adder()
    try:
        table.write(adder.passing(table.read(SOURCE)))
    except DatabaseError as error:
        if "locked" in str(error):
            raise
        raise CannotMove(f"{table.name}: {error}".strip()) from error
    if (found := sum_of(table.read(table.alias))) != adder.sum:
        raise CannotMove(
            f"{table.name}: {adder.rows} rows were read, {found.rows} are there, and "
            "not the same."
        )
    return adder.sum


def finish(alias: str, tables: list[Table]) -> None:
    """The next row gets a new number, and what refers to something finds it."""
    connection: Any = connections[alias]
    models = [table.model for table in tables]
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(sql)
    connection.check_constraints([table.name for table in tables])
