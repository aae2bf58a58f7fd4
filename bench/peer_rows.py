"""The rows of django-request for events: one for each."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from analytics.recording.event import RequestEvent


def save(events: Sequence[RequestEvent]) -> int:
    """How many rows were inserted; their addresses are those of documentation."""
    from request.models import Request

    rows = [
        Request(
            response=event.status,
            method=event.method,
            path=event.route[:255],
            time=datetime.datetime.fromtimestamp(event.time / 1000, datetime.UTC),
            ip=f"198.51.100.{event.visitor % 256}",
            referer=f"http://{event.referrer}/" if event.referrer else "",
            user_agent=event.agent[:255],
            language=event.language,
        )
        for event in events
    ]
    return len(Request.objects.bulk_create(rows, batch_size=2_000))
