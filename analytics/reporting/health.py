"""Is everything running? Each part with a yes, a no or an unknown, and a sentence.

Reads Redis over one connection, given up at its first failure, and a few rows of SQL.
Writes nothing. The view that shows it is in ``views.py``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Max

from .. import schedule, sites
from ..conf import get_config, get_stream
from ..models import Producer
from ..rollup.drain import RUN_SECONDS
from ..stream import ProducerInfo, Stream, StreamError
from .ledger import Line, fresh_lines, held_journals, oldest_waiting

REDIS_TIMEOUT = 0.3
REDIS_SECONDS = 0.6
"""All questions to Redis together; with the last one's time-out, below a second."""
DRAIN_SECONDS = RUN_SECONDS + 15
"""A drain with a backlog is at it for so long before it says that it finished."""
TICK_SECONDS = 30.0
LAG_SECONDS = 60.0
INTERVALS = 3
"""So many intervals of its schedule may a task be late."""
DRAIN_TASK = "analytics.tasks.drain"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the machinery."""

    name: str
    ok: bool | None
    """None when it cannot be known, because what would tell is down."""
    message: str


@dataclass(frozen=True, slots=True)
class RedisWords:
    """What Redis told."""

    drained_at: float | None
    infos: Mapping[str, ProducerInfo]
    head: float | None
    """When the oldest entry of the stream was shipped, seconds since 1970."""
    backlog: int
    server: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ticks:
    """What the schedule in SQL tells of beat."""

    last: float | None
    """The last start of any task, seconds since 1970."""
    shortest: float | None
    """Seconds between two starts of the most frequent task; None if there is none."""
    drain: float | None
    """Seconds between two starts of the drain."""


@dataclass(frozen=True, slots=True)
class Health:
    """The answer: parts for everybody, numbers for the staff, null if unknown."""

    parts: tuple[Part, ...]
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return all(part.ok for part in self.parts)

    @property
    def failing(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts if not part.ok)

    def part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)


def check_health(site: str = "") -> Health:
    """Ask everything once; within a second, but for a database that hangs.

    What waits is that of ``site``, the own one if none is named.
    """
    now = time.time()
    words, problem = _listen(site)
    lines: list[Line] | None = None
    ticks: Ticks | None = None
    database = _database()
    if database.ok:
        lines = _waiting_lines(words, site)
        ticks = _ticks()
    parts = [
        database,
        Part("redis", words is not None, problem or "answers"),
        worker_part(words, ticks, now),
        *([beat_part(ticks, now)] if schedule.is_installed() else []),
        lag_part(words, lines, now),
    ]
    return Health(tuple(parts), _numbers(words, lines, ticks, now))


def worker_part(words: RedisWords | None, ticks: Ticks | None, now: float) -> Part:
    """A worker is one that finished a drain lately."""
    if words is None:
        return Part("worker", None, "unknown without Redis")
    interval = (ticks and ticks.drain) or 0.0
    return _recent("worker", "drain", words.drained_at, DRAIN_SECONDS, interval, now)


def beat_part(ticks: Ticks | None, now: float) -> Part:
    """Beat runs if something was started lately."""
    if ticks is None:
        return Part("beat", None, "unknown without the database")
    if ticks.shortest is None and ticks.last is None:
        return Part("beat", False, "no task of the schedule was ever started")
    interval = ticks.shortest or 86_400.0
    return _recent("beat", "tick", ticks.last, TICK_SECONDS, interval, now)


def lag_part(words: RedisWords | None, lines: list[Line] | None, now: float) -> Part:
    """How long the oldest event waits, by whoever knows of it."""
    lag = _lag(words, lines, now)
    if words is None or lines is None:
        missing = "Redis" if words is None else "the database"
        return Part("lag", None, f"unknown without {missing}")
    if lag is None:
        return Part("lag", True, "nothing waits")
    return Part("lag", lag <= LAG_SECONDS, f"the oldest event waits for {lag:.0f} s")


def look(site: str = "") -> tuple[list[Line], str]:
    """All lines, with Redis and the disk asked, and why Redis did not answer."""
    config = get_config().recorder
    site = site or config.site
    journals = held_journals(config.journal_dir, site)
    words, problem = _listen(site)
    infos = words.infos if words else {}
    return fresh_lines(site, infos, journals), problem


def waiting_sites() -> list[dict[str, Any]]:
    """Sites that ask to be registered, or were deactivated, for the staff; none where
    Redis or the tables do not tell. Nothing of them is counted, and nothing is lost."""
    try:
        found = sites.waiting(REDIS_TIMEOUT)
    except (StreamError, ValueError, DatabaseError):
        return []
    return [
        {
            "name": site.name,
            "first_seen": site.first_seen and site.first_seen.isoformat(),
            "batches": site.batches,
            "registered": site.registered,
        }
        for site in found
    ]


def _recent(
    name: str, event: str, at: float | None, least: float, interval: float, now: float
) -> Part:
    if at is None:
        return Part(name, False, f"no {event} yet")
    ok = now - at <= max(least, INTERVALS * interval)
    return Part(name, ok, f"last {event} {max(0.0, now - at):.0f} s ago")


def _listen(site: str = "") -> tuple[RedisWords | None, str]:
    """What Redis told, or why it did not."""
    try:
        stream = get_stream(REDIS_TIMEOUT, site)
    except ValueError as error:
        return None, f"ANALYTICS_REDIS_URL: {error}"
    try:
        return _ask(stream), ""
    except StreamError as error:
        return None, str(error) or type(error).__name__
    finally:
        stream.close()


def _ask(stream: Stream) -> RedisWords:
    deadline = time.monotonic() + REDIS_SECONDS
    answers: list[Any] = []
    for question in (
        stream.drained_at,
        stream.producers,
        stream.oldest_shipped,
        stream.backlog,
        stream.server_info,
    ):
        if time.monotonic() > deadline:
            raise StreamError("too slow")
        answers.append(question())
    return RedisWords(*answers)


def _database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError as error:
        return Part("database", False, type(error).__name__)
    return Part("database", True, "answers")


def _waiting_lines(words: RedisWords | None, site: str) -> list[Line] | None:
    """None when the tables cannot be read: not migrated, or gone meanwhile."""
    infos = words.infos if words else {}
    try:
        site = site or get_config().site
        return fresh_lines(site, infos, {}, only_waiting=True)
    except DatabaseError:
        return None


def _ticks() -> Ticks | None:
    if not schedule.is_installed():
        return None
    try:
        tasks = schedule.enabled_tasks()
        last = tasks.aggregate(last=Max("last_run_at"))["last"]
        intervals = {
            task.task: task.interval.schedule.run_every.total_seconds()
            for task in tasks.filter(interval__isnull=False)
        }
    except DatabaseError:
        return None
    return Ticks(
        last=last.timestamp() if last else None,
        shortest=min(intervals.values(), default=None),
        drain=intervals.get(DRAIN_TASK),
    )


def _lag(
    words: RedisWords | None, lines: list[Line] | None, now: float
) -> float | None:
    waits = [oldest_waiting(lines or (), now)]
    if words is not None and words.head is not None:
        waits.append(max(0.0, now - words.head))
    return max((wait for wait in waits if wait is not None), default=None)


def _numbers(
    words: RedisWords | None,
    lines: list[Line] | None,
    ticks: Ticks | None,
    now: float,
) -> dict[str, Any]:
    server = words.server if words else {}
    return {
        "seconds_since_drain": _since(words and words.drained_at, now),
        "seconds_since_tick": _since(ticks and ticks.last, now),
        "lag_s": _lag(words, lines, now),
        "waiting": None if lines is None else sum(line.waiting for line in lines),
        "redis": {
            "version": server.get("valkey_version") or server.get("redis_version"),
            "memory_bytes": server.get("used_memory"),
            "backlog_batches": words.backlog if words else None,
        },
    }


def ledger_sums(found: Health, site: str = "") -> dict[str, int]:
    """``recorded counted lost rejected`` that go with the health's ``waiting``."""
    sums = Producer.objects.filter(site=site or get_config().site).sums()
    done = {name: sums[name] for name in ("counted", "lost", "rejected")}
    waiting = found.numbers["waiting"] or 0
    return {"recorded": sum(done.values()) + waiting, **done}


def _since(at: float | None, now: float) -> float | None:
    return None if at is None else round(max(0.0, now - at), 1)
