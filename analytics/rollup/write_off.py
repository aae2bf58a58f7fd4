"""The write-off: what waits of a producer that is gone for good becomes lost.

Reads the journals on this machine, so that nothing is given up that is still here.
Writes one ledger line under the site's writer row, as the drain does.
"""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils import timezone

from ..conf import get_config
from ..managers import MISSING_HOURS
from ..models import Producer, Writer
from ..recording.folder import end_of
from ..stream import Stream


class WriteOffError(Exception):
    """Nothing was written off; the text says why, and what to do."""


def write_off(
    producer: str, force: bool = False, site: str = ""
) -> tuple[Producer, int]:
    """Turn what waits of a missing producer into lost; its line, and how much.

    If the producer comes back after all, what it sends lies below the expected offset
    and is a duplicate. Raises WriteOffError, and then has changed nothing.
    """
    config = get_config()
    site = site or config.site
    Writer.objects.of(site, config.zone.key)
    with transaction.atomic():
        Writer.objects.lock(site)
        line = Producer.objects.filter(site=site, producer=producer).first()
        line = _writable_off(line, producer)
        if not force:
            _verify_is_gone(line)
        waiting = line.waiting
        line.lost += waiting
        line.expected = line.recorded
        line.oldest = None
        line.save(update_fields=("lost", "expected", "oldest"))
    return line, waiting


def publish(line: Producer, stream: Stream) -> None:
    """Tell the producer where counting goes on. Raises StreamError."""
    stream.publish({line.producer: line.expected}, {}, ())


def _writable_off(line: Producer | None, producer: str) -> Producer:
    if line is None:
        raise WriteOffError(
            f"The ledger has no producer {producer!r}. "
            "analytics_status lists those that have something waiting."
        )
    if not line.waiting:
        raise WriteOffError(f"Nothing of {producer} is waiting.")
    return line


def _verify_is_gone(line: Producer) -> None:
    journal = get_config().recorder.journal_dir / line.producer
    if end_of(journal) > line.expected:
        raise WriteOffError(
            f"The journal of {line.producer} is on this machine: run analytics_ship "
            "and analytics_drain --once to count it. --force writes it off all the "
            "same."
        )
    limit = timezone.now() - datetime.timedelta(hours=MISSING_HOURS)
    if line.seen is not None and line.seen >= limit:
        raise WriteOffError(
            f"{line.producer} was heard of at {line.seen:%Y-%m-%d %H:%M} UTC, less "
            f"than {MISSING_HOURS} hours ago, and may come back. --force writes it "
            "off all the same."
        )
