"""Retention: what is kept how long, deleting what is older, folding old ledger lines.

Reads what dimensions declare and what staff changed of it. Writes under the site's
writer row, a bounded number of rows in each transaction, so that a drain never waits
long. Only `prune` deletes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping

from django.db import models, transaction
from django.db.models import F, Min, Q, Sum
from django.utils import timezone
from django.utils.functional import cached_property

from ..conf import get_config
from ..models import DeadLetter, JobRun, Producer, Retention, Rollup, Site, Writer
from . import coverage
from .buckets import Grain
from .dimensions import Dimension, get_dimensions

BATCH_ROWS = 2_000
RECORDS_DAYS = 30
"""How long job runs, dead letters and closed ledger lines stay by themselves."""
LETTERS_LIMIT = 10_000
RUNS_LIMIT = 100_000
FOLDED_FIELDS = ("recorded", "expected", "counted", "lost", "rejected")

BEFORE_ALL = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

Days = Mapping[Grain, int | None]
"""Grain -> days its rows are kept, None for ever."""


class DaysInForce:
    """What is in force, for any number of dimensions: asked once, and then remembered.

    Meant to live as long as a page or a run; who keeps it longer sees no changes.
    """

    def of(self, dimension: Dimension) -> Days:
        """How long its rows are kept by grain. One query, the first time."""
        return self.of_named(dimension.name, dimension.days)

    def of_named(self, name: str, declared: Days) -> Days:
        """Of a dimension that declares these days.

        Coarser rows are never kept for a shorter time than finer ones, whatever the
        declaration has become since: the edges of a range are made of both.
        """
        found, least = {}, 0
        for grain in sorted(declared):
            days, _ = self._changed.get((name, grain), (declared[grain], None))
            least = None if days is None or least is None else max(days, least)
            found[grain] = least
        return found

    def present(self, name: str, declared: Days, now: datetime.datetime) -> Days:
        """How far back rows surely are there: less than is in force where they are kept
        for longer than they were when some were deleted."""
        found = dict(self.of_named(name, declared))
        for grain, days in found.items():
            since = self.since(name, grain)
            if since is not None:
                past = max((now - since).days, 0)
                found[grain] = past if days is None else min(days, past)
        return found

    def since(self, name: str, grain: Grain) -> datetime.datetime | None:
        """Rows of earlier buckets may be gone, though they would be kept now."""
        return self._changed.get((name, grain), (None, None))[1]

    @cached_property
    def _changed(
        self,
    ) -> dict[tuple[str, int], tuple[int | None, datetime.datetime | None]]:
        rows = Retention.objects.values_list("dimension", "grain", "days", "since")
        return {(name, grain): (days, since) for name, grain, days, since in rows}


def keep(
    dimension: Dimension,
    grain: Grain,
    days: int | None,
    now: datetime.datetime | None = None,
) -> Retention:
    """From now on keep such rows for so many days, None for ever.

    What the dimension declares needs no row, unless some of it is gone: then the one
    returned is not saved.
    """
    where = {"dimension": dimension.name, "grain": int(grain)}
    since = _gone_before(dimension, grain, days, now or timezone.now())
    if days == dimension.days[grain] and since is None:
        Retention.objects.filter(**where).delete()
        return Retention(**where, days=days)
    values = {"days": days, "since": since}
    row, _ = Retention.objects.update_or_create(**where, defaults=values)
    return row


def _gone_before(
    dimension: Dimension, grain: Grain, days: int | None, now: datetime.datetime
) -> datetime.datetime | None:
    """Since when there are all rows that were not deleted by now; None if that is all
    that is kept for so many days."""
    in_force = DaysInForce()
    since = limit_of(in_force.of(dimension)[grain], now)
    since = max(since, in_force.since(dimension.name, grain) or since)
    if since <= limit_of(days, now):
        return None
    # Where days go back no further, nothing was there that could have been deleted.
    coarsest = Rollup.objects.filter(dimension=dimension.name, grain=Grain.DAY)
    if grain < Grain.DAY and not coarsest.filter(bucket__lt=since).exists():
        return None
    return since


def limit_of(days: int | None, now: datetime.datetime) -> datetime.datetime:
    """Rows of earlier buckets go; with None that is none of them."""
    if days is None:
        return BEFORE_ALL
    return now - datetime.timedelta(days=days)


def prune(now: datetime.datetime | None = None) -> str:
    """Delete what is past its time, of all sites; what was deleted, in a sentence."""
    now = now or timezone.now()
    limit = now - datetime.timedelta(days=RECORDS_DAYS)
    own = get_config().site
    sites = [own, *Site.objects.exclude(name=own).values_list("name", flat=True)]
    pruned = [_prune_site(site, now, limit) for site in sites]
    rollups, letters, folded = map(sum, zip(*pruned, strict=True))
    runs = JobRun.objects.all()
    runs = _delete(own, runs.filter(Q(started__lt=limit) | _beyond(runs, RUNS_LIMIT)))
    return (
        f"{rollups} rollups, {runs} job runs and {letters} dead letters deleted, "
        f"{folded} ledger lines folded"
    )


def _prune_site(
    site: str, now: datetime.datetime, limit: datetime.datetime
) -> tuple[int, int, int]:
    """Rollups and dead letters deleted, ledger lines folded."""
    Writer.objects.of(site, get_config().zone.key)
    rollups = sum(_delete(site, rows) for rows in _expired_rollups(site, now))
    letters = DeadLetter.objects.filter(site=site)
    gone = letters.filter(Q(created__lt=limit) | _beyond(letters, LETTERS_LIMIT))
    return rollups, _delete(site, gone), _fold_lines(site, limit)


def _expired_rollups(
    site: str, now: datetime.datetime
) -> Iterator[models.QuerySet[Rollup]]:
    in_force = DaysInForce()
    for dimension in get_dimensions():
        for grain, days in in_force.of(dimension).items():
            if days is not None:
                rows = Rollup.objects.of(site, dimension.name, Grain(grain))
                yield rows.filter(bucket__lt=limit_of(days, now))


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
        folded, new = Producer.objects.get_or_create(
            site=site, producer=Producer.FOLDED, defaults={"closed": True}
        )
        # One that does not know when the first of its lines began never will.
        if new or folded.started:
            folded.started = _least(folded.started, *_beginnings(gone))
        for name, value in sums.items():
            setattr(folded, name, getattr(folded, name) + int(value))
        folded.seen = limit
        folded.save()
        coverage.keep(site, coverage.of_lines(gone))
        gone.delete()
    return len(pks)


def _beginnings(lines: models.QuerySet[Producer]) -> Iterable[datetime.datetime | None]:
    """Of all moments that lines know of, the earliest ones."""
    names = ("started", "oldest", "seen")
    return lines.aggregate(**{f"{name}_": Min(name) for name in names}).values()


def _least(*moments: datetime.datetime | None) -> datetime.datetime | None:
    return min(filter(None, moments), default=None)
