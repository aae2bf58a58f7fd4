"""When this site's own counting began: log lines from then on would count twice.

Reads the ledger, the journals on this machine, and what producers say in Redis if it
answers. Writes nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from ..conf import get_config
from ..models import ImportedFile, Producer, Rollup
from ..reporting.health import look
from ..reporting.ledger import Line
from ..rollup.buckets import Grain

NO_PROCESS = "("
"""How lines of the ledger begin that are of no web process: ``(demo) …``."""


class BeginningUnknown(Exception):
    """The ledger does not tell any more."""


def first_live(site: str = "") -> datetime.datetime | None:
    """The minute in which the first event was recorded live; None if none was yet.

    Raises BeginningUnknown.
    """
    site = site or get_config().site
    lines, problem = look(site)
    moments = [*_written_down(site), *_waiting(lines)]
    if not moments and problem:
        raise BeginningUnknown(
            f"Redis does not tell whether this site counts by itself already ({problem}"
            "); say with --until from when it does, the present moment if it does not "
            "yet, or lines may be counted twice."
        )
    if not moments:
        return None
    return min(moments).astimezone(datetime.UTC).replace(second=0, microsecond=0)


def _written_down(site: str) -> Iterator[datetime.datetime]:
    for line in Producer.objects.filter(site=site):
        if line.producer == Producer.FOLDED:
            yield line.started or _first_day(site)
        elif not line.producer.startswith(NO_PROCESS):
            known = (line.started, line.oldest, line.seen)
            yield from (moment for moment in known if moment)


def _waiting(lines: Iterable[Line]) -> Iterator[datetime.datetime]:
    """Of what nobody has counted yet: that is in no table."""
    for line in lines:
        if line.oldest is not None and not line.producer.startswith(NO_PROCESS):
            yield datetime.datetime.fromtimestamp(line.oldest, datetime.UTC)


def _first_day(site: str) -> datetime.datetime:
    """The first day with a row, which is live as long as no log was imported."""
    days = Rollup.objects.of(site, "total", Grain.DAY).order_by("bucket")
    first = days.values_list("bucket", flat=True).first()
    if first is None or ImportedFile.objects.filter(site=site).exists():
        raise BeginningUnknown(
            "When this site began to count by itself is not known any more; say it "
            "with --until, or lines are counted twice."
        )
    return first
