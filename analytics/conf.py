"""The settings of this app: read from Django's, with their defaults, in one object.

==============================  =====================================================
setting                         meaning and default
==============================  =====================================================
``ANALYTICS_SITE``              name of this site; the package of ``ROOT_URLCONF``
``ANALYTICS_REDIS_URL``         ``REDIS_URL`` of the settings, else the local one
``ANALYTICS_KEY``               secret for seals and visitor hashes, the same for all
                                that record or drain a site; from ``SECRET_KEY``
``ANALYTICS_JOURNAL_DIR``       local folder of the journals; ``BASE_DIR/var/journal``
``ANALYTICS_JOURNAL_MAX_BYTES`` size at which recording stops; 1 GiB
``ANALYTICS_STREAM_MAX_BATCHES`` waiting entries at which shippers pause; 10 000
``ANALYTICS_IGNORE``            path prefixes that are not recorded; ``/healthz``
``ANALYTICS_PROXIES``           own proxies before the site, whose
                                ``X-Forwarded-For`` is believed; 0
``ANALYTICS_VISITOR_PERIOD``    ``stable``, ``month`` or ``day``; ``stable``
``ANALYTICS_RECORD_USERS``      record ids of signed-in users; off
``ANALYTICS_RECORD_PATHS``      record paths beside routes; off
``ANALYTICS_COUNTRY_HEADER``    header with the country's code that an own proxy sets
``ANALYTICS_COUNTRY_DATABASE``  MaxMind file to look countries up in
``ANALYTICS_HONOUR_DNT``        leave visitor, user, referrer, campaign, language and
                                country of those out who send DNT or Sec-GPC; off
``ANALYTICS_RECORD_IN_TESTS``   record while the test suite runs; off
==============================  =====================================================
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from .recording.names import SITE_LIMIT, derived_key, is_site_name
from .recording.recorder import RecorderConfig
from .recording.registry import Registry
from .recording.visitor import PERIODS
from .stream import Stream, connect

VISITOR_PERIODS = tuple(PERIODS)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, checked for their types."""

    recorder: RecorderConfig
    ignore: tuple[str, ...]
    proxies: int
    visitor_period: str
    record_users: bool
    record_paths: bool
    honour_dnt: bool
    country_header: str
    """As WSGI spells it."""
    country_database: Path | None
    record_in_tests: bool
    zone: ZoneInfo

    @property
    def site(self) -> str:
        return self.recorder.site


@lru_cache(maxsize=1)
def get_config() -> Config:
    """The settings now in force. Raises ImproperlyConfigured with what to do."""
    return Config(
        recorder=RecorderConfig(
            site=_site(),
            redis_url=_redis_url(),
            journal_dir=_journal_dir(),
            key=_key(),
            journal_max_bytes=_number("ANALYTICS_JOURNAL_MAX_BYTES", 1024**3, 1),
            stream_max_batches=_number("ANALYTICS_STREAM_MAX_BATCHES", 10_000, 1),
        ),
        ignore=_prefixes(),
        proxies=_number("ANALYTICS_PROXIES", 0),
        visitor_period=_visitor_period(),
        record_users=_flag("ANALYTICS_RECORD_USERS"),
        record_paths=_flag("ANALYTICS_RECORD_PATHS"),
        honour_dnt=_flag("ANALYTICS_HONOUR_DNT"),
        country_header=_country_header(),
        country_database=_country_database(),
        record_in_tests=_flag("ANALYTICS_RECORD_IN_TESTS"),
        zone=ZoneInfo(settings.TIME_ZONE),
    )


def get_stream(timeout: float = 1.0, site: str = "") -> Stream:
    """A client for the stream of a site, the own one if none is named."""
    config = get_config().recorder
    return Stream(config.redis_url, site or config.site, config.key, timeout)


def get_registry(timeout: float = 1.0) -> Registry:
    """A client for what the recorders of all sites announce."""
    config = get_config().recorder
    return Registry(connect(config.redis_url, timeout), config.key)


def _site() -> str:
    site = getattr(settings, "ANALYTICS_SITE", "") or settings.ROOT_URLCONF
    site = site.split(".")[0]
    if len(site) > SITE_LIMIT:
        raise ImproperlyConfigured(
            f"ANALYTICS_SITE is longer than {SITE_LIMIT} characters."
        )
    if not is_site_name(site):
        raise ImproperlyConfigured(
            f"ANALYTICS_SITE is {site!r}: use letters, digits, '-' and '_' only."
        )
    return site


def _redis_url() -> str:
    default = getattr(settings, "REDIS_URL", "") or "redis://127.0.0.1:6379/0"
    return getattr(settings, "ANALYTICS_REDIS_URL", "") or default


def _flag(name: str) -> bool:
    return bool(getattr(settings, name, False))


def _country_header() -> str:
    """``CF-IPCountry`` -> ``HTTP_CF_IPCOUNTRY``."""
    name = getattr(settings, "ANALYTICS_COUNTRY_HEADER", "") or ""
    return f"HTTP_{name.upper().replace('-', '_')}" if name else ""


def _country_database() -> Path | None:
    name = getattr(settings, "ANALYTICS_COUNTRY_DATABASE", "")
    return Path(name) if name else None


def _journal_dir() -> Path:
    if directory := getattr(settings, "ANALYTICS_JOURNAL_DIR", ""):
        return Path(directory)
    base = getattr(settings, "BASE_DIR", None) or os.getcwd()
    return Path(base) / "var" / "journal"


def _key() -> bytes:
    secret = getattr(settings, "ANALYTICS_KEY", "") or settings.SECRET_KEY
    return derived_key(secret)


def _number(name: str, default: int, least: int = 0) -> int:
    value = getattr(settings, name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ImproperlyConfigured(
            f"{name} is {value!r}: use a whole number, {least} or more."
        )
    return value


def _prefixes() -> tuple[str, ...]:
    prefixes = getattr(settings, "ANALYTICS_IGNORE", ("/healthz",))
    if isinstance(prefixes, str) or not all(p.startswith("/") for p in prefixes):
        raise ImproperlyConfigured(
            "ANALYTICS_IGNORE must be a list of path prefixes that start with '/'."
        )
    return tuple(prefixes)


def _visitor_period() -> str:
    period = getattr(settings, "ANALYTICS_VISITOR_PERIOD", "stable")
    if period not in VISITOR_PERIODS:
        raise ImproperlyConfigured(
            f"ANALYTICS_VISITOR_PERIOD is {period!r}: use one of {VISITOR_PERIODS}."
        )
    return period


def _forget(setting: str, **kwargs: object) -> None:
    if setting.startswith("ANALYTICS_") or setting in _READ_TOO:
        get_config.cache_clear()


_READ_TOO = {"REDIS_URL", "SECRET_KEY", "TIME_ZONE", "USE_TZ", "ROOT_URLCONF"}
setting_changed.connect(_forget)
