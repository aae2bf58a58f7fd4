"""The entry of the schedule that removes old lines, added to the database once.

Reads and writes django-celery-beat's tables, if it is installed; what staff edits there
stays.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from analytics.schedule import ScheduleEntry, has_tables

ENTRY = ScheduleEntry(
    name="Remove old sign-ins",
    task="access.tasks.prune",
    every=timedelta(hours=1),
    expires=timedelta(hours=1),
    queue="jobs",
    description="Deletes sign-ins and ended tokens past their time.",
)


def seed(using: str = "default", **kwargs: Any) -> None:
    """Add the entry if it is missing. Connected to ``post_migrate``."""
    if not has_tables(using):
        return
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    tasks = PeriodicTask.objects.using(using)
    intervals = IntervalSchedule.objects.using(using)
    every = {"every": ENTRY.every // timedelta(hours=1), "period": "hours"}
    with transaction.atomic(using):
        # By its task: an entry that was renamed is not missing.
        if tasks.filter(task=ENTRY.task).exists():
            return
        tasks.create(
            name=ENTRY.name,
            task=ENTRY.task,
            # Nothing keeps two equal intervals from existing.
            interval=intervals.filter(**every).first() or intervals.create(**every),
            queue=ENTRY.queue,
            expire_seconds=int(ENTRY.expires.total_seconds()),
            description=ENTRY.description,
        )
