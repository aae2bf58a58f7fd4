"""Coverage: the times in which something could be recorded, as the ledger knows them.

Reads ledger lines that are about to be folded; writes what is to be remembered of them.
To be used by whoever holds the site's writer row.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from ..models import Coverage, Producer

Interval = tuple[datetime.datetime, datetime.datetime]
RESTART = datetime.timedelta(minutes=5)
"""So long a pause between two processes is no outage."""
INTERVALS_LIMIT = 10_000
"""Above so many the shortest outages are forgotten."""


def of_lines(lines: QuerySet[Producer]) -> QuerySet:
    """From when to when each process, or other source, was there: `Interval` rows."""
    lines = lines.exclude(producer=Producer.FOLDED).exclude(started=None)
    # Lines from before this was kept know only when somebody last spoke of them.
    lines = lines.annotate(until=Coalesce("alive", "seen")).exclude(until=None)
    return lines.order_by().values_list("started", "until")


def merged(
    intervals: Iterable[Interval], tolerance: datetime.timedelta = RESTART
) -> list[Interval]:
    """The same times, in order, as intervals that are further apart than that."""
    return list(_merged(sorted(intervals), tolerance))


def _merged(
    intervals: Iterable[Interval], tolerance: datetime.timedelta
) -> Iterator[Interval]:
    current = None
    for start, end in intervals:
        if current and start <= current[1] + tolerance:
            current = (current[0], max(current[1], end))
            continue
        if current:
            yield current
        current = (start, max(start, end))
    if current:
        yield current


def keep(site: str, intervals: Iterable[Interval]) -> None:
    """Add times to those that are remembered of the site."""
    rows = Coverage.objects.filter(site=site)
    kept = {(row.start, row.end): row.pk for row in rows}
    every, tolerance = [*kept, *intervals], RESTART
    while len(found := merged(every, tolerance)) > INTERVALS_LIMIT:
        tolerance *= 2
    gone = [kept[interval] for interval in kept.keys() - set(found)]
    rows.filter(pk__in=gone).delete()
    Coverage.objects.bulk_create(
        Coverage(site=site, start=start, end=end)
        for start, end in found
        if (start, end) not in kept
    )
