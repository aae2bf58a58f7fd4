"""Retention: deletes what is older than it may become, and folds old ledger lines.

Writes under the site's writer row, a bounded number of rows in each transaction, so
that a drain never waits long.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from django.db import models, transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from ..conf import get_config
from ..models import DeadLetter, JobRun, Producer, Rollup, Writer
from .buckets import Grain
from .dimensions import get_dimensions

BATCH_ROWS = 2_000
RECORDS_DAYS = 30
"""How long job runs, dead letters and closed ledger lines stay by themselves."""
LETTERS_LIMIT = 10_000
RUNS_LIMIT = 100_000
FOLDED_FIELDS = ("recorded", "expected", "counted", "lost", "rejected")


def prune(now: datetime.datetime | None = None) -> str:
    """Delete what is past its time; what was deleted, in a sentence."""
    now = now or timezone.now()
    site = get_config().site
    Writer.objects.of(site, get_config().zone.key)
    rollups = sum(_delete(site, rows) for rows in _expired_rollups(site, now))
    limit = now - datetime.timedelta(days=RECORDS_DAYS)
    runs = JobRun.objects.all()
    letters = DeadLetter.objects.filter(site=site)
    runs = _delete(site, runs.filter(Q(started__lt=limit) | _beyond(runs, RUNS_LIMIT)))
    letters = _delete(
        site, letters.filter(Q(created__lt=limit) | _beyond(letters, LETTERS_LIMIT))
    )
    folded = _fold_lines(site, limit)
    return (
        f"{rollups} rollups, {runs} job runs and {letters} dead letters deleted, "
        f"{folded} ledger lines folded"
    )


def _expired_rollups(
    site: str, now: datetime.datetime
) -> Iterator[models.QuerySet[Rollup]]:
    for dimension in get_dimensions():
        for grain, days in dimension.days.items():
            if days is not None:
                limit = now - datetime.timedelta(days=days)
                rows = Rollup.objects.of(site, dimension.name, Grain(grain))
                yield rows.filter(bucket__lt=limit)


def _beyond(rows: models.QuerySet, limit: int) -> Q:
    """All but the newest ``limit`` of ``rows``."""
    newest = rows.order_by("-pk").values_list("pk", flat=True)
    return Q(pk__lte=newest[limit : limit + 1].first() or 0)


def _delete(site: str, rows: models.QuerySet) -> int:
    """Delete ``rows``, some at a time; how many there were."""
    deleted = 0
    while True:
        with transaction.atomic():
            Writer.objects.lock(site)
            pks = list(rows.values_list("pk", flat=True)[:BATCH_ROWS])
            rows.model.objects.filter(pk__in=pks).delete()
        deleted += len(pks)
        if len(pks) < BATCH_ROWS:
            return deleted


def _fold_lines(site: str, limit: datetime.datetime) -> int:
    """Add the lines of processes that ended long ago, and were counted, into one."""
    with transaction.atomic():
        Writer.objects.lock(site)
        # A source that is no process, as (demo) is, keeps its line.
        lines = Producer.objects.filter(site=site, closed=True, seen__lt=limit)
        gone = lines.filter(recorded=F("expected")).exclude(producer__startswith="(")
        pks = list(gone.values_list("pk", flat=True)[:BATCH_ROWS])
        if not pks:
            return 0
        gone = Producer.objects.filter(pk__in=pks)
        sums = gone.aggregate(**{name: Sum(name) for name in FOLDED_FIELDS})
        folded, _ = Producer.objects.get_or_create(
            site=site, producer=Producer.FOLDED, defaults={"closed": True}
        )
        for name, value in sums.items():
            setattr(folded, name, getattr(folded, name) + int(value))
        folded.seen = limit
        folded.save()
        gone.delete()
    return len(pks)
