"""The schedule: which tasks run when, how it is seeded, how one is run at once.

Reads django-celery-beat's tables, where they are installed, and writes an entry that
is missing there. Never changes an entry that exists: it belongs to the staff.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connections, router, transaction
from django.utils import timezone

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django_celery_beat.models import PeriodicTask

SEND_SECONDS = 1.0
"""How long the broker may take to answer each step of *run now*."""


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """A periodic task as it is first put into the schedule; staff may edit it."""

    name: str
    task: str
    every: timedelta
    expires: timedelta
    """After so long in the queue a tick is dropped: the next one does its work."""
    queue: str
    description: str


SCHEDULE = (
    ScheduleEntry(
        name="Count waiting requests",
        task="analytics.tasks.drain",
        every=timedelta(seconds=2),
        expires=timedelta(seconds=10),
        queue="drain",
        description="Moves events from the Redis stream into the rollup tables.",
    ),
    ScheduleEntry(
        name="Remove old rows",
        task="analytics.tasks.prune",
        every=timedelta(hours=1),
        expires=timedelta(hours=1),
        queue="jobs",
        description="Deletes rollups, job runs and dead letters past their time.",
    ),
)

_PERIODS = (
    ("days", timedelta(days=1)),
    ("hours", timedelta(hours=1)),
    ("minutes", timedelta(minutes=1)),
    ("seconds", timedelta(seconds=1)),
)

# Else kombu tries for ever, while somebody looks at a page that does not come.
_ONE_TRY = {
    "socket_timeout": SEND_SECONDS,
    "socket_connect_timeout": SEND_SECONDS,
    "max_retries": 0,
}


class BrokerError(Exception):
    """The task could not be handed to Celery; the text says why."""


def is_installed() -> bool:
    """Whether the schedule is kept in the database at all."""
    return apps.is_installed("django_celery_beat")


def has_tables(using: str) -> bool:
    """Whether ``using`` holds the schedule: it may not be migrated yet."""
    if not is_installed():
        return False
    model = _periodic_task()
    if not router.allow_migrate_model(using, model):
        return False
    return model._meta.db_table in connections[using].introspection.table_names()


def seed(using: str = "default", **kwargs: Any) -> None:
    """Add the entries that are missing. Connected to ``post_migrate``."""
    if not has_tables(using):
        return
    tasks = _periodic_task().objects.using(using)
    for entry in SCHEDULE:
        with transaction.atomic(using):
            # By its task: an entry that was renamed is not missing.
            if not tasks.filter(task=entry.task).exists():
                _add(entry, using)


def enabled_tasks(using: str = "default") -> QuerySet[PeriodicTask]:
    """What beat runs, ours and that of others."""
    tasks = _periodic_task().objects.using(using)
    return tasks.filter(enabled=True).select_related("interval")


def missing_or_disabled(using: str = "default") -> list[ScheduleEntry]:
    """The entries that nothing would run."""
    enabled = set(enabled_tasks(using).values_list("task", flat=True))
    return [entry for entry in SCHEDULE if entry.task not in enabled]


def entry_of(task: str) -> ScheduleEntry | None:
    """Our entry for a task's name; None for a task of somebody else."""
    return next((entry for entry in SCHEDULE if entry.task == task), None)


def next_run(task: PeriodicTask) -> datetime.datetime | None:
    """When beat will start it next; a time that has passed means at once."""
    if not task.enabled:
        return None
    last = task.last_run_at or task.date_changed or timezone.now()
    if task.interval:
        return last + task.interval.schedule.run_every
    return timezone.now() + task.schedule.remaining_estimate(last)


def run_now(task: PeriodicTask) -> str:
    """Send one of our tasks to its queue, beside its schedule; the queue's name.

    Raises BrokerError within a few seconds if the broker does not take it, and
    ValueError for a task that is not ours: messages carry no data of anybody's.
    """
    entry = entry_of(task.task)
    if entry is None:
        raise ValueError(f"{task.task} is not a task of this schedule.")
    queue = task.queue or entry.queue
    try:
        _send(entry.task, queue, entry.expires)
    except Exception as error:
        raise BrokerError(str(error) or type(error).__name__) from error
    return queue


def _send(name: str, queue: str, expires: timedelta) -> None:
    from celery import current_app

    options = current_app.conf.broker_transport_options or {}
    connection = current_app.connection_for_write(
        connect_timeout=SEND_SECONDS, transport_options={**options, **_ONE_TRY}
    )
    with connection:
        current_app.send_task(
            name,
            queue=queue,
            expires=expires.total_seconds(),
            connection=connection,
            retry=False,
        )


def _add(entry: ScheduleEntry, using: str) -> None:
    from django_celery_beat.models import IntervalSchedule

    period, length = next(p for p in _PERIODS if not entry.every % p[1])
    interval = {"every": entry.every // length, "period": period}
    intervals = IntervalSchedule.objects.using(using)
    # Nothing keeps two equal intervals from existing, so get_or_create could fail.
    found = intervals.filter(**interval).first() or intervals.create(**interval)
    _periodic_task().objects.using(using).create(
        name=entry.name,
        task=entry.task,
        interval=found,
        queue=entry.queue,
        expire_seconds=int(entry.expires.total_seconds()),
        description=entry.description,
    )


def _periodic_task() -> type[PeriodicTask]:
    from django_celery_beat.models import PeriodicTask

    return PeriodicTask
