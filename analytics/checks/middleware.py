"""Whether the middleware is installed, once and outermost.

Reads ``MIDDLEWARE`` and imports what it names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.utils.module_loading import import_string

MIDDLEWARE = "analytics.recording.middleware.AnalyticsMiddleware"


def check_middleware(**kwargs: Any) -> list[checks.CheckMessage]:
    ours = [n for n, path in enumerate(settings.MIDDLEWARE) if _is_ours(path)]
    if not ours:
        return [
            checks.Error(
                "No request is recorded: the analytics middleware is not installed.",
                hint=f"Put {MIDDLEWARE!r} first into MIDDLEWARE.",
                id="analytics.E001",
            )
        ]
    return [*_twice(ours), *_not_outermost(ours)]


def _twice(ours: Sequence[int]) -> Iterator[checks.CheckMessage]:
    if len(ours) > 1:
        listed = ", ".join(repr(settings.MIDDLEWARE[n]) for n in ours)
        yield checks.Error(
            f"Each request is counted {len(ours)} times: so often the analytics "
            "middleware is installed.",
            hint=f"Leave one of these in MIDDLEWARE: {listed}.",
            id="analytics.E005",
        )


def _not_outermost(ours: Sequence[int]) -> Iterator[checks.CheckMessage]:
    if ours[0]:
        yield checks.Warning(
            "Requests that middleware before the analytics middleware answers are "
            "not recorded.",
            hint=f"Put {MIDDLEWARE!r} first into MIDDLEWARE.",
            id="analytics.W001",
        )


def _is_ours(path: str) -> bool:
    if path == MIDDLEWARE:
        return True
    try:
        found = import_string(path)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, import_string(MIDDLEWARE))
