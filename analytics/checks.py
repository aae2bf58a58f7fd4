"""The system checks: what can be misconfigured, each with an id and a hint.

Plain ones read settings, folders and ``/proc``. Those that ask the database run with
``check --database default``; those that ask Redis with it too, and with ``check --tag
analytics_redis``, but not before ``migrate`` and ``test``, which need no Redis. All of
them read only.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db import connections
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from . import schedule
from .conf import get_config, get_stream
from .models import Producer, Writer
from .rollup.dimensions import get_dimensions
from .stream import BadEntry, Stream, StreamError

TAG = "analytics"
REDIS_TAG = "analytics_redis"
MIDDLEWARE = "analytics.recording.middleware.AnalyticsMiddleware"
# fmt: off
NETWORK = frozenset((
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gfs2",
    "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs",
))
# fmt: on
MOUNTS = Path("/proc/self/mountinfo")
OLDEST_REDIS = (6, 2)
CHART_VIEWS = "admin_tools_stats.views"
PEEK = 100
KEY_LENGTH = 32
LOOPBACK = frozenset(("", "localhost", "127.0.0.1", "::1"))
Messages = list[checks.CheckMessage]


def connect() -> None:
    """Register all checks."""
    plain = (check_settings, check_middleware, check_journal, check_charts)
    deploy = (check_journal_lasts, check_key, check_proxies, check_redis_url)
    for check in plain:
        checks.register(check, TAG)
    for check in deploy:
        checks.register(check, TAG, checks.Tags.security, deploy=True)
    checks.register(check_tables, TAG, checks.Tags.database)
    checks.register(check_redis, REDIS_TAG, checks.Tags.database)


# Settings.


def check_settings(**kwargs: Any) -> Messages:
    messages: Messages = []
    sources: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("analytics.E003", get_config),
        ("analytics.E004", get_dimensions),
    )
    for check_id, source in sources:
        try:
            source()
        except ImproperlyConfigured as error:
            messages.append(checks.Error(str(error), id=check_id))
    if not settings.USE_TZ:
        messages.append(
            checks.Error(
                "Nothing can be counted: USE_TZ is False, and hours and days of the "
                "data need aware times.",
                hint="Set USE_TZ = True.",
                id="analytics.E006",
            )
        )
    return messages


def check_middleware(**kwargs: Any) -> Messages:
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


# Charts that staff define.


def check_charts(**kwargs: Any) -> Messages:
    """Those of django-admin-charts, as far as this project uses it."""
    if not apps.is_installed("admin_tools_stats"):
        return []
    return [*_chart_addresses(), *_chart_zone()]


def _chart_addresses() -> Iterator[checks.CheckMessage]:
    bad = sorted(_addresses_of(CHART_VIEWS, get_resolver().url_patterns))
    if bad:
        yield checks.Error(
            "Addresses of django-admin-charts are included, which run text of the "
            f"request as code, and show charts to everybody: {', '.join(bad)}.",
            hint="Remove admin_tools_stats.urls. The admin draws charts without them.",
            id="analytics.E040",
        )


def _chart_zone() -> Iterator[checks.CheckMessage]:
    zone = getattr(settings, "ADMIN_CHARTS_TIMEZONE", None)
    if zone and str(zone) != settings.TIME_ZONE:
        yield checks.Error(
            f"ADMIN_CHARTS_TIMEZONE is {zone}, but days are counted in "
            f"{settings.TIME_ZONE}: no chart is drawn.",
            hint="Remove ADMIN_CHARTS_TIMEZONE.",
            id="analytics.E041",
        )


def _addresses_of(
    module: str, patterns: Sequence[URLPattern | URLResolver], before: str = ""
) -> Iterator[str]:
    """The patterns that lead to a view of ``module``, or to a class made of one."""
    for pattern in patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _addresses_of(module, pattern.url_patterns, address)
        elif module in _modules_of(pattern.callback):
            yield address


def _modules_of(view: Callable[..., Any]) -> set[str]:
    view = inspect.unwrap(view)
    made_of = inspect.getmro(getattr(view, "view_class", type(view)))
    return {getattr(view, "__module__", ""), *(one.__module__ for one in made_of)}


# The journal's folder.


def check_journal(**kwargs: Any) -> Messages:
    directory = _journal_dir()
    if directory is None:
        return []
    existing = _nearest(directory)
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return [
            checks.Error(
                f"Requests cannot be recorded: {existing} is not a folder that can be "
                "written.",
                hint="Let ANALYTICS_JOURNAL_DIR name a local folder that the web "
                "processes may write.",
                id="analytics.E002",
            )
        ]
    return [*_network(directory, existing), *_permissive(directory)]


def check_journal_lasts(**kwargs: Any) -> Messages:
    """Information, not a warning: a container that only tests is a good use of one."""
    directory = _journal_dir()
    if directory is None or _file_system(_nearest(directory)) != "overlay":
        return []
    return [
        checks.Info(
            f"The journal folder {directory} goes when its container goes, with the "
            "requests in it that are not counted yet.",
            hint="Mount a volume, and let ANALYTICS_JOURNAL_DIR name a folder on it.",
            id="analytics.I002",
        )
    ]


def _network(directory: Path, existing: Path) -> Iterator[checks.CheckMessage]:
    kind = _file_system(existing)
    if kind in NETWORK:
        yield checks.Warning(
            f"The journal folder {directory} is on a network file system ({kind}): "
            "every request would wait for it, and its locks cannot be relied on.",
            hint="Let ANALYTICS_JOURNAL_DIR name a folder on a local disk, one for "
            "each machine.",
            id="analytics.W002",
        )


def _permissive(directory: Path) -> Iterator[checks.CheckMessage]:
    if directory.is_dir() and directory.stat().st_mode & 0o077:
        yield checks.Warning(
            f"Others may look into the journal folder {directory}.",
            hint=f"chmod 700 {directory}",
            id="analytics.W003",
        )


def _journal_dir() -> Path | None:
    """None when the settings are wrong, which another check says."""
    try:
        return get_config().recorder.journal_dir.absolute()
    except ImproperlyConfigured:
        return None


def _nearest(directory: Path) -> Path:
    """What exists of the path; the journal makes the rest."""
    paths = (directory, *directory.parents)
    return next(path for path in paths if os.path.exists(path))


def _file_system(path: Path, mounts: Path | None = None) -> str:
    """The type of file system that ``path`` is on; empty where nobody can tell."""
    try:
        lines = (mounts or MOUNTS).read_text().splitlines()
    except OSError:
        return ""
    real = os.path.realpath(path)
    best, kind = "", ""
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split()[4].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        # The last mount of a point hides those before it.
        if inside and len(point) >= len(best):
            best, kind = point, after.split()[0]
    return kind


# Production.


def check_key(**kwargs: Any) -> Messages:
    own = getattr(settings, "ANALYTICS_KEY", "")
    name = "ANALYTICS_KEY" if own else "SECRET_KEY"
    messages: Messages = []
    if not own and settings.SECRET_KEY_FALLBACKS:
        messages.append(
            checks.Warning(
                "SECRET_KEY is being changed, and the analytics key is made from it: "
                "every visitor would be counted as a new one.",
                hint="Set ANALYTICS_KEY to the old SECRET_KEY.",
                id="analytics.W030",
            )
        )
    if len(own or settings.SECRET_KEY) < KEY_LENGTH:
        messages.append(
            checks.Warning(
                f"{name} is short: whoever guesses it can tell visitors' addresses "
                "from the journal, and forge events in Redis.",
                hint=f"Use {KEY_LENGTH} random characters or more.",
                id="analytics.W031",
            )
        )
    return messages


def check_proxies(**kwargs: Any) -> Messages:
    behind = settings.SECURE_PROXY_SSL_HEADER or settings.USE_X_FORWARDED_HOST
    if not behind or getattr(settings, "ANALYTICS_PROXIES", 0):
        return []
    return [
        checks.Warning(
            "The site is behind a proxy, and ANALYTICS_PROXIES is 0: all visitors "
            "seem to come from the proxy's address.",
            hint="Set ANALYTICS_PROXIES to the number of your proxies that add to "
            "X-Forwarded-For.",
            id="analytics.W032",
        )
    ]


def check_redis_url(**kwargs: Any) -> Messages:
    try:
        url = urlsplit(get_config().recorder.redis_url)
    except ImproperlyConfigured:
        return []
    if url.scheme == "unix" or (url.hostname or "") in LOOPBACK:
        return []
    lacks = []
    if not url.password and "password=" not in url.query:
        lacks.append("without a password")
    if url.scheme != "rediss":
        lacks.append("unencrypted")
    if not lacks:
        return []
    return [
        checks.Warning(
            f"Redis at {url.hostname} is spoken to over the network "
            f"{' and '.join(lacks)}.",
            hint="Use rediss://:password@host/0, or a socket of the same machine.",
            id="analytics.W033",
        )
    ]


# The database.


def check_tables(databases: Sequence[str] | None = None, **kwargs: Any) -> Messages:
    messages: Messages = []
    for using in databases or ():
        try:
            tables = connections[using].introspection.table_names()
            if Writer._meta.db_table in tables:
                messages += _time_zone(using)
            if schedule.has_tables(using) and Producer._meta.db_table in tables:
                messages += _schedule(using)
        except DatabaseError:
            # Others say that the database is not there.
            continue
    return messages


def _time_zone(using: str) -> Iterator[checks.CheckMessage]:
    try:
        config = get_config()
    except ImproperlyConfigured:
        return
    writer = Writer.objects.using(using).filter(pk=config.site).first()
    if writer and writer.time_zone != config.zone.key:
        yield checks.Error(
            f"TIME_ZONE is {config.zone.key}, but hours and days of the data begin as "
            f"in {writer.time_zone}: old and new ones would overlap.",
            hint=f"Set TIME_ZONE to {writer.time_zone!r} again.",
            id="analytics.E020",
        )


def _schedule(using: str) -> Iterator[checks.CheckMessage]:
    for entry in schedule.missing_or_disabled(using):
        yield checks.Warning(
            f"Nothing runs {entry.task}: its entry in the schedule is missing or "
            "disabled.",
            hint=f"Enable {entry.name!r} in the admin's periodic tasks; migrate adds "
            "it if it is missing.",
            id="analytics.W020",
        )


# Redis.


def check_redis(databases: Sequence[str] | None = None, **kwargs: Any) -> Messages:
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
    return REDIS_TAG in sys.argv or (
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
    if _numbers(version) < OLDEST_REDIS:
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
