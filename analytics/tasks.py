"""The Celery tasks and their schedule: thin edges around the domain's functions.

Messages carry no data: to lose one, to double or to forge one changes no number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from celery import shared_task

from .conf import get_config, get_stream
from .models import JobRun
from .recording.shipper import Shipper
from .rollup.drain import Drain
from .rollup.retention import prune as prune_site


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


@lru_cache(maxsize=1)
def _drain() -> tuple[Shipper, Drain]:
    config = get_config().recorder
    stream = get_stream()
    shipper = Shipper(
        stream,
        config.journal_dir,
        max_bytes=config.journal_max_bytes,
        max_batches=config.stream_max_batches,
    )
    return shipper, Drain(stream)


def drain_once() -> str:
    """Ship what dead processes left, count what waits; what was done, in words."""
    shipper, drain = _drain()
    shipper.tick()
    return str(drain.run())


@shared_task(name="analytics.tasks.drain", ignore_result=True)
def drain() -> str:
    """Count what waits in the stream."""
    return JobRun.objects.log("analytics.tasks.drain", drain_once, quiet=True)


@shared_task(name="analytics.tasks.prune", ignore_result=True)
def prune() -> str:
    """Delete what is older than its retention."""
    return JobRun.objects.log("analytics.tasks.prune", prune_site)
