"""What may be kept of a request's headers and query string: hosts, the first language,
a campaign, a country.

Reads text that anybody may have written; never raises for it. Needs no Django.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from .event import TEXT_LIMIT, clean

LANGUAGE_READ = 40
"""So many characters of Accept-Language are looked at."""
LANGUAGE_LIMIT = 20
CAMPAIGN_WORDS = ("utm_source", "utm_medium", "utm_campaign")
CAMPAIGN_LIMIT = 60
"""Characters of each of them."""
QUERY_READ = 4_000
FIELDS_READ = 100
_HOST = re.compile(r"(?:[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)
"""What may be a host: the beginning of a password, say, is none."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*")
"""What may be a language: anybody may write anything, and each would be a key."""


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
    """In lower case; empty for ``*`` and for rubbish."""
    tag = header[:LANGUAGE_READ].partition(",")[0].partition(";")[0].strip().lower()
    tag = tag.replace("_", "-")
    return tag[:LANGUAGE_LIMIT] if _LANGUAGE.fullmatch(tag) else ""


def host_of(header: str) -> str:
    """The host of a ``Host`` header, without port and last dot; empty for rubbish."""
    host = header.lower()
    if not _HOST.fullmatch(host):
        return ""
    start = host.rfind(":")
    if start > 0 and host[start + 1 :].isdigit():
        host = host[:start]
    return clean(host.removesuffix("."))


def campaign(query: str) -> str:
    """What the utm_* words of a query string say: ``source / medium / campaign``.

    Nothing else of it is looked at. Empty where there is no source and no name.
    """
    if "utm_" not in query:
        return ""
    words = dict.fromkeys(CAMPAIGN_WORDS, "")
    for name, value in parse_qsl(query[:QUERY_READ])[:FIELDS_READ]:
        if not words.get(name, "-"):
            # What joins the parts is not to come from one of them.
            words[name] = clean(value, CAMPAIGN_LIMIT).replace(" / ", " ").strip()
    source, medium, name = words.values()
    if not (source or name):
        return ""
    return " / ".join(part or "-" for part in (source, medium, name))[:TEXT_LIMIT]


def country_code(text: str) -> str:
    """A code of two letters, as an ISO 3166 one is; empty for all else.

    ``XX`` and ``T1`` are what some servers write when they do not know.
    """
    code = text.strip().upper()
    known = len(code) == 2 and code.isascii() and code.isalpha() and code != "XX"
    return code if known else ""
