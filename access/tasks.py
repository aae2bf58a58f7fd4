"""The Celery task: a thin edge around `access.retention`; its message has no data."""

from __future__ import annotations

from celery import shared_task

from analytics.models import JobRun

from . import retention


@shared_task(name="access.tasks.prune", ignore_result=True)
def prune() -> str:
    """Delete sign-ins and ended tokens past their time."""
    return JobRun.objects.log("access.tasks.prune", retention.prune)
