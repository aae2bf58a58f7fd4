"""Gaps: the parts of a series in which nothing could be recorded.

Reads the ledger's lines, what is remembered of folded ones, and where anything at all
was counted. Writes nothing.
"""

from __future__ import annotations

import datetime
from bisect import bisect_left
from collections.abc import Collection, Sequence

from django.db.models import F, QuerySet

from ..models import Coverage, Producer, Rollup
from ..rollup.coverage import Interval, merged, of_lines
from .ledger import LIVE


def gaps(
    *,
    site: str,
    buckets: Sequence[datetime.datetime],
    end: datetime.datetime,
    now: datetime.datetime,
    empty: Collection[int],
    counted: QuerySet[Rollup],
) -> tuple[int, ...]:
    """Of the places of ``empty`` buckets those in which no process was alive.

    ``end`` is that of the last bucket, ``counted`` all rows between: what was counted
    was recorded, whatever the ledger says. One query, none if nothing is empty.
    """
    if not empty:
        return ()
    ends = (*buckets[1:], end)
    found = covered(site=site, start=buckets[0], end=end, now=now, counted=counted)
    starts = [start for start, _ in found]

    def is_covered(place: int) -> bool:
        before = bisect_left(starts, ends[place])
        return before > 0 and found[before - 1][1] >= buckets[place]

    return tuple(place for place in empty if not is_covered(place))


def covered(
    *,
    site: str,
    start: datetime.datetime,
    end: datetime.datetime,
    now: datetime.datetime,
    counted: QuerySet[Rollup],
) -> list[Interval]:
    """The times that touch [start, end) and in which something could be recorded, in
    order and apart from each other. One query."""
    lines = of_lines(Producer.objects.filter(site=site))
    lines = lines.filter(started__lt=end, until__gte=start)
    folded = Coverage.objects.filter(site=site, start__lt=end, end__gte=start)
    moments = counted.order_by().annotate(until=F("bucket"))
    rows = lines.union(
        folded.values_list("start", "end"), moments.values_list("bucket", "until")
    )
    # Who was heard of a moment ago lives, and is written down in a minute.
    return merged(
        (since, now if until >= now - LIVE else until) for since, until in rows
    )
