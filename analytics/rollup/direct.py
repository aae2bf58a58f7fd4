"""Counts events that did not come through a journal: demo traffic, imported logs.

Writes rollups and one ledger line for their source, in one transaction, under the
same writer row as the drain.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from ..conf import get_config
from ..models import Producer, Writer
from ..recording.event import RequestEvent
from . import store
from .dimensions import get_dimensions
from .fold import fold


def count_events(events: Sequence[RequestEvent], source: str) -> None:
    """Add ``events``, at most some 50 000, to the tables.

    ``source`` (at most 32 characters) names their line in the ledger. Calling it
    twice counts twice: only who has offsets can be recognised.
    """
    config = get_config()
    Writer.objects.of(config.site, config.zone.key)
    with transaction.atomic():
        Writer.objects.lock(config.site)
        admit = store.Admission(config.site)
        rows = fold(events, get_dimensions(), config.zone, admit)
        store.add_existing(config.site, rows)
        store.save_rows(config.site, rows)
        line, _ = Producer.objects.get_or_create(site=config.site, producer=source)
        line.recorded += len(events)
        line.expected += len(events)
        line.counted += len(events)
        line.seen = timezone.now()
        line.save()
