"""The formats of access logs: what is where in a line.

Reads text and nothing else. Every pattern gives the same groups, empty ones where the
format has none, so whoever reads a line need not know which format it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Possessive throughout: no line, however long or hostile, is looked at twice.
_QUOTED = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_NOTHING = "()"
_REQUEST = (
    # A user's name may hold blanks; it is not read.
    r"(\S++) \S++ .*?\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d):(\d\d) ([+-]\d{4})\] "
    rf"{_QUOTED} (\d{{3}}) (\d++|-)"
)
# An address follows: the last part of an IPv6 one looks like a port, too.
_SERVER = r"(\S+:\d+) (?=\S*[.:])"
_AGENT = f" {_QUOTED} {_QUOTED}"


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a line.

    Groups: server, address, minute, second, zone, request, status, bytes, referrer,
    agent, duration.
    """

    name: str
    label: str
    pattern: re.Pattern[str]
    unit: int = 1
    """Microseconds of a duration of 1."""


def _format(name: str, label: str, text: str, unit: int = 1) -> Format:
    return Format(name, label, re.compile(text + r"\s*+", re.ASCII), unit)


_COMBINED = _NOTHING + _REQUEST + _AGENT
FORMATS = (
    # First: to the others it is a line of a user with a blank in the name.
    _format(
        "vhost_combined",
        "Apache's vhost_combined: the server's name and port, then combined",
        _SERVER + _REQUEST + _AGENT + _NOTHING,
    ),
    _format("combined", "combined", _COMBINED + _NOTHING),
    _format("common", "common", _NOTHING + _REQUEST + _NOTHING * 3),
    _format(
        "combined_seconds",
        "combined, then nginx's $request_time",
        _COMBINED + r" (\d++\.\d++|-)",
        1_000_000,
    ),
    _format(
        "combined_microseconds", "combined, then Apache's %D", _COMBINED + r" (\d++)"
    ),
    _format(
        "combined_more",
        "combined, then more that is not read",
        _COMBINED + _NOTHING + r" .*",
    ),
)
"""The first one that fits a line is it."""
NAMES = tuple(one.name for one in FORMATS)
_LOOSE = "combined_more"
"""Fits lines that have anything behind them: only for a file of which most are so."""


def format_named(name: str) -> Format:
    return FORMATS[NAMES.index(name)]


def recognise(lines: Iterable[str]) -> Format | None:
    """The format of most of ``lines``; None if none of them has any."""
    found = dict.fromkeys(NAMES, 0)
    for line in lines:
        for one in FORMATS:
            if one.pattern.fullmatch(line):
                found[one.name] += 1
                break
    name = max(found, key=found.__getitem__)
    return format_named(name) if found[name] else None


def others(chosen: Format) -> Sequence[Format]:
    """What a line may be that is not in the format of its file's other lines."""
    return tuple(one for one in FORMATS if one.name not in (chosen.name, _LOOSE))
