"""The middleware that ours is compared with; the packages' own are used as they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from redis.backoff import NoBackoff
from redis.retry import Retry

STREAM = "bench:requests"
TIMEOUT = 0.1


class Empty:
    """The baseline: what any middleware costs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


class XaddEach:
    """What most people write first: one XADD in every request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        # The site must go on; the request is then not counted.
        with suppress(redis.RedisError):
            self.client.xadd(STREAM, fields(request, response, started))
        return response


def fields(
    request: HttpRequest, response: HttpResponse, started: float
) -> dict[str, str | int]:
    """The least that a dashboard needs of a request."""
    return {
        "method": request.method or "",
        "path": request.path,
        "status": response.status_code,
        "us": int((time.perf_counter() - started) * 1e6),
        "address": request.META["REMOTE_ADDR"],
    }


OURS = ["analytics.recording.middleware.AnalyticsMiddleware"]
EMPTY = ["bench.peers.Empty"]
PROMETHEUS = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
XADD = ["bench.peers.XaddEach"]
REQUEST = ["request.middleware.RequestMiddleware"]
