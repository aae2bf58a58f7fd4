"""Whether the tables fit the settings, and the schedule is in them.

Reads the databases that the command names, and no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db import connections

from .. import schedule
from ..conf import get_config
from ..models import Producer, Writer


def check_tables(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    messages: list[checks.CheckMessage] = []
    for using in databases or ():
        try:
            tables = connections[using].introspection.table_names()
            if Writer._meta.db_table in tables:
                messages += _time_zone(using)
            if schedule.has_tables(using) and Producer._meta.db_table in tables:
                messages += _schedule(using)
        except DatabaseError:
            # Others say that the database is not there.
            continue
    return messages


def _time_zone(using: str) -> Iterator[checks.CheckMessage]:
    try:
        config = get_config()
    except ImproperlyConfigured:
        return
    writer = Writer.objects.using(using).filter(pk=config.site).first()
    if writer and writer.time_zone != config.zone.key:
        yield checks.Error(
            f"TIME_ZONE is {config.zone.key}, but hours and days of the data begin as "
            f"in {writer.time_zone}: old and new ones would overlap.",
            hint=f"Set TIME_ZONE to {writer.time_zone!r} again.",
            id="analytics.E020",
        )


def _schedule(using: str) -> Iterator[checks.CheckMessage]:
    for entry in schedule.missing_or_disabled(using):
        yield checks.Warning(
            f"Nothing runs {entry.task}: its entry in the schedule is missing or "
            "disabled.",
            hint=f"Enable {entry.name!r} in the admin's periodic tasks; migrate adds "
            "it if it is missing.",
            id="analytics.W020",
        )
