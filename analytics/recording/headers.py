"""What may be kept of a request's headers: a host and a language, never the rest.

Reads text that anybody may have written; never raises for it. Needs no Django.
"""

from __future__ import annotations

import re

from .event import clean

LANGUAGE_READ = 40
"""So many characters of Accept-Language are looked at."""
_HOST = re.compile(r"(?:[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?")
"""What may be a host: the beginning of a password, say, is none."""


def referrer_host(referrer: str, own: str) -> str:
    """The host of an absolute ``referrer``; empty for our own and for rubbish."""
    start = referrer.find("://") + 3
    end = referrer.find("/", start)
    if end > 0 and referrer[start:end] == own:
        return ""
    scheme, separator, rest = referrer.partition("://")
    if not separator or scheme not in ("http", "https"):
        return ""
    for end in "/?#\\":
        rest = rest.partition(end)[0]
    host = rest.rpartition("@")[2].lower()
    if host == own.lower() or not _HOST.fullmatch(host):
        return ""
    return clean(host)


def first_language(header: str) -> str:
    tag = header[:LANGUAGE_READ].partition(",")[0].partition(";")[0].strip().lower()
    return clean(tag, 20)
