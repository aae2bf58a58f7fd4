"""What the recorders of sites without Django are told: checked once, at the start.

Reads ``ANALYTICS_*`` of the environment, with the meaning that they have as settings.
Raises ValueError with what to do. Needs no Django.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .headers import host_of
from .maker import Maker, Policy
from .names import SITE_LIMIT, derived_key, is_site_name
from .recorder import Recorder, RecorderConfig
from .visitor import PERIODS

_NEEDED = ("site", "key", "redis_url", "journal_dir")
_LEAST = {"journal_max_bytes": 1, "stream_max_batches": 1, "proxies": 0}
"""Who says 0 and means no limit would record, or ship, nothing."""
_TRUE = ("1", "true", "yes", "on")
_FALSE = ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Options:
    """How one site is recorded."""

    site: str
    """Its name, the same in all its processes, another than that of other sites."""
    key: str
    """The text of the dashboard's ``ANALYTICS_KEY``."""
    redis_url: str
    journal_dir: Path | str
    """Local folder; sites of one machine may share it."""
    journal_max_bytes: int = 1024**3
    stream_max_batches: int = 10_000
    ignore: tuple[str, ...] = ("/healthz",)
    """Path prefixes that are not recorded."""
    hosts: tuple[str, ...] = ()
    """Own hosts, as in Django's ``ALLOWED_HOSTS``; others are not kept."""
    proxies: int = 0
    visitor_period: str = "stable"
    record_paths: bool = False
    honour_dnt: bool = False
    country_header: str = ""
    """As HTTP spells it, such as ``CF-IPCountry``."""
    country_database: Path | str = ""

    def __post_init__(self) -> None:
        for name in _NEEDED:
            if not getattr(self, name):
                raise ValueError(
                    f"{name} is empty: set it, or ANALYTICS_{name.upper()}."
                )
        if not is_site_name(self.site):
            raise ValueError(
                f"site is {self.site!r}: use letters, digits, '-' and '_' only,"
                f" {SITE_LIMIT} characters at most."
            )
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(
                    f"{name} is {value!r}: use a whole number, {least} or more."
                )
        for name in ("ignore", "hosts"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"{name} is a text: use a tuple of texts.")
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not all(prefix.startswith("/") for prefix in self.ignore):
            raise ValueError("ignore must hold path prefixes that start with '/'.")
        if self.visitor_period not in PERIODS:
            raise ValueError(
                f"visitor_period is {self.visitor_period!r}: use one of"
                f" {tuple(PERIODS)}."
            )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Options:
        """The options that ``ANALYTICS_*`` say; lists are separated by commas."""
        said: dict[str, Any] = dict.fromkeys(_NEEDED, "")
        for name, read in _READERS.items():
            variable = f"ANALYTICS_{name.upper()}"
            text = environ.get(variable, "").strip()
            if text:
                said[name] = read(text, variable)
        return cls(**said)

    @property
    def recorder(self) -> RecorderConfig:
        return RecorderConfig(
            site=self.site,
            redis_url=self.redis_url,
            journal_dir=Path(self.journal_dir),
            key=derived_key(self.key),
            journal_max_bytes=self.journal_max_bytes,
            stream_max_batches=self.stream_max_batches,
        )

    def maker(self) -> Maker:
        """What makes this site's events."""
        header = self.country_header.upper().replace("-", "_")
        return Maker(
            Policy(
                key=derived_key(self.key),
                host_of=lambda header: _own_host(header, self.hosts),
                proxies=self.proxies,
                visitor_period=self.visitor_period,
                record_paths=self.record_paths,
                honour_dnt=self.honour_dnt,
                country_header=f"HTTP_{header}" if header else "",
                country_database=(
                    Path(self.country_database) if self.country_database else None
                ),
            )
        )


@cache
def recorder_of(config: RecorderConfig) -> Recorder:
    """The one recorder of this process for it: each has a thread of its own."""
    return Recorder(config)


def _own_host(header: str, hosts: tuple[str, ...]) -> str:
    """The host of the header, if it is one of ours: anybody may ask for any, and each
    would be a key."""
    host = host_of(header)
    return host if host and any(_fits(host, own.lower()) for own in hosts) else ""


def _fits(host: str, own: str) -> bool:
    inside = own.startswith(".") and (host.endswith(own) or host == own[1:])
    return own == "*" or host == own or inside


def _text(text: str, variable: str) -> str:
    return text


def _number(text: str, variable: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{variable} is {text!r}: use a whole number, 0 or more.")
    return int(text)


def _flag(text: str, variable: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ValueError(f"{variable} is {text!r}: use 1 or 0.")
    return text.lower() in _TRUE


def _list(text: str, variable: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, text.split(",")) if part)


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "site": _text,
    "key": _text,
    "redis_url": _text,
    "journal_dir": _text,
    "journal_max_bytes": _number,
    "stream_max_batches": _number,
    "ignore": _list,
    "hosts": _list,
    "proxies": _number,
    "visitor_period": _text,
    "record_paths": _flag,
    "honour_dnt": _flag,
    "country_header": _text,
    "country_database": _text,
}
