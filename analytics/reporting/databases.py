"""What every database of the project has to be migrated to, and whether it is.

Reads the list of applied migrations of each, and the files; writes nothing. It knows no
project: every connection is asked that the routers let any table be made in.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db import Error as DatabaseError
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Migrations:
    """Of one database."""

    alias: str
    vendor: str
    applied: int | None
    """None if it could not be asked."""
    pending: tuple[str, ...]
    problem: str = ""

    @property
    def ok(self) -> bool:
        return self.applied is not None and not self.pending

    @property
    def command(self) -> str:
        """What applies those that are pending."""
        where = "" if self.alias == DEFAULT_DB_ALIAS else f" --database={self.alias}"
        return f"manage.py migrate{where}"


def all_migrations() -> list[Migrations]:
    return [migrations_of(alias) for alias in connections if _has_tables(alias)]


def migrations_of(alias: str) -> Migrations:
    connection = connections[alias]
    try:
        executor = MigrationExecutor(connection)
        graph = executor.loader.graph
        plan = executor.migration_plan(graph.leaf_nodes())
        applied = graph.nodes.keys() & executor.loader.applied_migrations.keys()
    except (DatabaseError, InconsistentMigrationHistory) as error:
        kind = type(error).__name__
        problem = _("It cannot be asked: %s.") % (str(error).strip() or kind)
        return Migrations(alias, connection.display_name, None, (), problem)
    pending = tuple(f"{each.app_label}.{each.name}" for each, _back in plan)
    return Migrations(alias, connection.display_name, len(applied), pending)


def _has_tables(alias: str) -> bool:
    """Not a copy that another connection writes, nor another project's database."""
    if connections[alias].settings_dict["TEST"].get("MIRROR"):
        return False
    return any(router.allow_migrate_model(alias, model) for model in apps.get_models())
