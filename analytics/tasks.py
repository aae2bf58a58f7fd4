"""The Celery tasks: thin edges around the domain's functions.

Messages carry no data: to lose one, to double or to forge one changes no number.
"""

from __future__ import annotations

from celery import shared_task

from .models import JobRun
from .rollup.job import drain_once
from .rollup.retention import prune as prune_site


@shared_task(name="analytics.tasks.drain", ignore_result=True)
def drain() -> str:
    """Count what waits in the stream."""
    return JobRun.objects.log("analytics.tasks.drain", drain_once, quiet=True)


@shared_task(name="analytics.tasks.prune", ignore_result=True)
def prune() -> str:
    """Delete what is older than its retention."""
    return JobRun.objects.log("analytics.tasks.prune", prune_site)
