"""How often somebody may ask: so many requests a minute, by user and scope.

Counts in the cache ``throttles``, which all processes share. Where that does not
answer, everybody is let in: a dashboard without Redis is better than none. Rates are
REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], by scope; ``refused`` is for sign-ins that
fail, by address.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.core.cache import caches
from rest_framework.permissions import SAFE_METHODS
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from access import client

REFUSED = "refused"
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
PAUSE_S = 5.0
"""How long a cache that failed is left alone."""

logger = logging.getLogger(__name__)


class PerScope(BaseThrottle):
    """The scope is the view's ``scope_read`` or ``scope_write``."""

    retry: int | None = None

    def allow_request(self, request: Any, view: Any) -> bool:
        safe = request.method in SAFE_METHODS
        scope = getattr(view, "scope_read" if safe else "scope_write", None)
        self.retry = wait_for(scope or "other", ident(request))
        return self.retry is None

    def wait(self) -> int | None:
        return self.retry


def ident(request: Any) -> str:
    """Who asks. The user: more credentials are no more requests."""
    if request.user and request.user.is_authenticated:
        return f"user-{request.user.pk}"
    credential = getattr(request.auth, "pk", None)
    return f"credential-{credential}" if credential else address(request)


def address(request: Any) -> str:
    """Of the client, by the rule that locks names for an address."""
    return f"address-{client.address(request) or 'unknown'}"


def wait_after_refusal(request: Any) -> int | None:
    """Counts a sign-in that failed; the seconds to wait if there were too many.

    Nobody with a good credential waits because of a neighbour's bad ones.
    """
    return wait_for(REFUSED, address(request)) if request is not None else None


def wait_for(scope: str, who: str) -> int | None:
    """Counts one request; the seconds to wait, or None if it is one of those allowed.

    In fixed windows: one increment, whatever runs beside it.
    """
    rate = api_settings.DEFAULT_THROTTLE_RATES.get(scope)
    if not rate:
        return None
    allowed, _, period = rate.partition("/")
    window = SECONDS[period[0]]
    now = time.time()
    count = shared.count(f"throttle:{scope}:{who}:{int(now // window)}", window)
    return int(window - now % window) + 1 if count > int(allowed) else None


class Shared:
    """The cache, which may be gone."""

    def __init__(self) -> None:
        self.paused_until = 0.0
        self.failures = 0

    def count(self, key: str, seconds: int) -> int:
        """How many times it was called with ``key``; 0 where nobody can tell."""
        if time.monotonic() < self.paused_until:
            self.failures += 1
            return 0
        try:
            counts = caches["throttles"]
            counts.add(key, 0, seconds + 1)
            return counts.incr(key)
        except Exception as error:
            # Of whatever kind: caches have their own.
            self.pause(error)
            return 0

    def pause(self, error: Exception) -> None:
        self.failures += 1
        self.paused_until = time.monotonic() + PAUSE_S
        if self.failures == 1:
            logger.warning("Requests are not throttled: the cache failed (%s).", error)


shared = Shared()
