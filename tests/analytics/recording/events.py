"""Events for tests, and lines that a broken or hostile recorder would write."""

import json
import time

from analytics.recording.event import RequestEvent, encode

NOW_MS = 1_767_225_600_000
"""2026-01-01, for events whose time nobody compares with a clock."""


def event(**changes) -> RequestEvent:
    fields = {
        "time": NOW_MS,
        "method": "GET",
        "route": "/ok/",
        "view": "ok",
        "status": 200,
        "duration": 1_500,
        "bytes": 5,
        "exception": "",
        "user": "",
        "staff": False,
        "visitor": 12_345,
        "referrer": "",
        "language": "en",
        "agent": "Mozilla/5.0",
        "page": True,
        "kwargs": {},
    }
    return RequestEvent(**(fields | changes))


def event_with(**changes) -> bytes:
    """The line of an event with values that no recorder writes."""
    values = json.loads(encode(event()))
    for name, value in changes.items():
        values[RequestEvent.__struct_fields__.index(name)] = value
    return json.dumps(values).encode()


def line(**changes) -> bytes:
    """A journal line, newline included, of an event that happened just now."""
    return encode(event(time=int(time.time() * 1000), **changes)) + b"\n"
