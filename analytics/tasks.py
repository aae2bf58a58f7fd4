"""The Celery tasks: thin edges around the domain's functions.

Messages carry no data: to lose one, to double or to forge one changes no number.
"""

from __future__ import annotations

from functools import lru_cache

from celery import shared_task

from .conf import get_config, get_stream
from .models import JobRun
from .recording.shipper import Shipper
from .rollup.drain import Drain
from .rollup.retention import prune as prune_site


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
    shipper.sweep()
    return str(drain.run())


@shared_task(name="analytics.tasks.drain", ignore_result=True)
def drain() -> str:
    """Count what waits in the stream."""
    return JobRun.objects.log("analytics.tasks.drain", drain_once, quiet=True)


@shared_task(name="analytics.tasks.prune", ignore_result=True)
def prune() -> str:
    """Delete what is older than its retention."""
    return JobRun.objects.log("analytics.tasks.prune", prune_site)
