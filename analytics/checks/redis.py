"""Whether Redis answers, keeps what it is given, and holds this site's entries.

Reads Redis through the stream, and takes nothing out of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from ..conf import get_stream
from ..stream import BadEntry, Stream, StreamError

TAG = "analytics_redis"
OLDEST = (6, 2)
PEEK = 100


def check_redis(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    if not _redis_is_asked_for(databases):
        return []
    try:
        stream = get_stream()
    except (ImproperlyConfigured, ValueError) as error:
        return [checks.Error(f"No Redis: {error}", id="analytics.E010")]
    try:
        return [*_server(stream.server_info()), *_strangers(stream)]
    except StreamError as error:
        return [
            checks.Error(
                f"Redis does not answer: {error}",
                hint="Start it, or correct ANALYTICS_REDIS_URL. Until then requests "
                "wait in the journal.",
                id="analytics.E010",
            )
        ]
    finally:
        stream.close()


def _redis_is_asked_for(databases: Sequence[str] | None) -> bool:
    """``migrate`` and ``test`` name databases too, and must not depend on Redis."""
    return TAG in sys.argv or (
        bool(databases) and sys.argv[1:2] not in (["migrate"], ["test"])
    )


def _server(info: dict[str, Any]) -> Iterator[checks.CheckMessage]:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield checks.Error(
            f"Redis deletes keys when memory is short (maxmemory-policy {policy}).",
            hint="Set maxmemory-policy noeviction.",
            id="analytics.E011",
        )
    if not info.get("aof_enabled"):
        yield checks.Warning(
            "Redis keeps no append-only file: after its restart all that was not "
            "counted has to be sent again, and Celery's messages are gone.",
            hint="Set appendonly yes.",
            id="analytics.W010",
        )
    version = str(info.get("redis_version", ""))
    if _numbers(version) < OLDEST:
        yield checks.Warning(
            f"Redis {version} is too old.",
            hint="Use Redis 6.2 or newer, or Valkey.",
            id="analytics.W011",
        )


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())


def _strangers(stream: Stream) -> Iterator[checks.CheckMessage]:
    bad = [entry for entry in stream.read(PEEK) if isinstance(entry, BadEntry)]
    if bad:
        reasons = ", ".join(sorted({entry.reason for entry in bad}))
        yield checks.Error(
            f"{len(bad)} of the first entries in {stream.events} are not of this "
            f"site: {reasons}.",
            hint="Give each site that shares this Redis an ANALYTICS_SITE of its own, "
            "and all processes of one site the same ANALYTICS_KEY.",
            id="analytics.E012",
        )
