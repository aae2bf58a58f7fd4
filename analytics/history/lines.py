"""Makes of a line of a log the event that the middleware would have recorded.

Reads the line. Address, query, user name and path of the referrer go no further; the
visitor is hashed as it is live, so that a person in the log is the same one later.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.http.request import validate_host

from ..conf import Config
from ..recording.country import countries
from ..recording.event import (
    AGENT_LIMIT,
    AMOUNT_MOST,
    BODILESS,
    EARLIEST,
    RequestEvent,
    clean,
)
from ..recording.headers import host_of, referrer_host
from ..recording.visitor import PERIODS, VisitorHash
from .files import LINE_LIMIT, LogError
from .formats import Format
from .targets import Targets

REMEMBERED = 32_768
LONG = 500
"""Longer texts are not remembered."""
AHEAD = 86_400
"""Seconds that a server's clock may be ahead of ours."""
# fmt: off
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun",
          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# fmt: on
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.))")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}


class Unreadable(Exception):
    """What is wrong with a line."""


class LineReader:
    """Reads the lines of one file; remembers what comes again and again."""

    def __init__(
        self,
        config: Config,
        expected: Format,
        others: Sequence[Format],
        own_hosts: Iterable[str],
        targets: Targets,
    ) -> None:
        self._match = expected.pattern.fullmatch
        self._unit = expected.unit
        self._others = others
        self._own = [host.lower() for host in own_hosts if host != "*"]
        self._targets = targets
        self._paths = config.record_paths
        self._period = PERIODS[config.visitor_period]
        self._visitor = VisitorHash(config.recorder.key).of
        self._country_of = _countries(config.country_database)
        self._latest = time.time() + AHEAD
        self._client = lru_cache(REMEMBERED)(self._client_of)
        self._source = lru_cache(REMEMBERED)(self._source_of)
        self._minute = lru_cache(1_024)(self._minute_of)
        self._host = lru_cache(256)(host_of)

    def __call__(self, line: str, whole: bool = True) -> RequestEvent | None:
        """The event; None for what is ignored. Raises Unreadable.

        What is not ``whole`` has to be in the format of the file: the beginning of a
        line may look like one in another.
        """
        found, unit = self._match(line), self._unit
        if found is None or len(line) > LINE_LIMIT:
            found, unit = self._other(line, self._others if whole else ())
        # fmt: off
        (server, address, minute, second, zone, request, status, sent, referrer,
         agent, taken) = found.groups()
        # fmt: on
        at = self._minute(minute, zone) + int(second)
        code = int(status)
        if not 100 <= code <= 599:
            raise Unreadable(f"its status is {status}")
        target = self._targets(_plain(request) if "\\" in request else request)
        if target is None:
            return None
        visitor, agent, country = self._client(
            address,
            _header(agent)[:AGENT_LIMIT],
            self._period(at * 10**9) if self._period else "",
        )
        source = "" if referrer in ("", "-") else self._referrer(referrer, server)
        good = 200 <= code < 300 or code == 304
        bodiless = code in BODILESS or target.method == "HEAD" or sent == "-"
        return RequestEvent(
            at * 1000,
            target.method,
            target.route,
            target.view,
            code,
            _micros(taken, unit) if taken else 0,
            0 if bodiless else min(int(sent[:15]), AMOUNT_MOST),
            "",
            "",
            False,
            visitor,
            source,
            "",
            agent,
            target.page and good,
            target.kwargs,
            self._host(server) if server else "",
            target.campaign,
            country,
            target.path if self._paths else "",
        )

    def _other(self, line: str, others: Sequence[Format]) -> tuple[re.Match[str], int]:
        """A line that is not as those of its file are."""
        if len(line) > LINE_LIMIT:
            raise Unreadable(f"it is longer than {LINE_LIMIT} bytes")
        for one in others:
            if found := one.pattern.fullmatch(line):
                return found, one.unit
        raise Unreadable("it has no known format")

    def _minute_of(self, text: str, zone: str) -> int:
        """``22/Nov/2026:10:40`` and ``+0100`` -> seconds since 1970."""
        try:
            day, month, rest = text.split("/")
            year, hour, minute = map(int, rest.split(":"))
            shown = datetime(
                year, MONTHS.index(month) + 1, int(day), hour, minute, tzinfo=UTC
            )
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
            seconds = offset.total_seconds() * (-1 if zone[0] == "-" else 1)
            at = int(shown.timestamp() - seconds)
        except ValueError:
            raise Unreadable("its date does not exist") from None
        if at < EARLIEST:
            raise Unreadable("its date is before the year 2000")
        if at > self._latest:
            raise Unreadable("its date lies in the future")
        return at

    def _client_of(self, address: str, agent: str, period: str) -> tuple[int, str, str]:
        agent = clean(agent, AGENT_LIMIT)
        visitor = self._visitor(address, agent, period)
        return visitor, agent, self._country_of(address)

    def _referrer(self, text: str, server: str) -> str:
        find = self._source if len(text) < LONG else self._source_of
        return find(text, server)

    def _source_of(self, text: str, server: str) -> str:
        """The host of the site that led here; empty for one of our own."""
        host = referrer_host(_plain(text) if "\\" in text else text, "")
        name = host_of(host)
        if not name or name == host_of(server) or validate_host(name, self._own):
            return ""
        return host


def _countries(database: Path | None) -> Callable[[str], str]:
    """Raises LogError: what is not known now would be missing for good."""
    try:
        return countries(database)
    except (ImportError, OSError, ValueError) as error:
        raise LogError(
            f"Countries cannot be looked up ({error}), and nothing was counted; mend "
            "ANALYTICS_COUNTRY_DATABASE, or unset it."
        ) from error


def _header(text: str) -> str:
    """What was sent, of what servers write of it; ``-`` stands for nothing."""
    if text == "-":
        return ""
    return _plain(text) if "\\" in text else text


def _plain(text: str) -> str:
    r"""Without the escapes of both servers: ``\x22``, ``\"``, ``\\``, ``\n``."""
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    code, char = found.groups()
    return chr(int(code, 16)) if code else _CONTROLS.get(char, char)


def _micros(text: str, unit: int) -> int:
    """At least one where something was logged: 0 stands for what is not known."""
    if text == "-":
        return 0
    return min(max(1, round(float(text[:20]) * unit)), AMOUNT_MOST)
