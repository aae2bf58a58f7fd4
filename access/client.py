"""Where a request comes from: an address to lock, a network and a name to keep.

The address follows the rule of the recorder: `ANALYTICS_PROXIES` entries of
``X-Forwarded-For`` are believed, from the right. Writes nothing.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

from analytics.recording import visitor
from analytics.recording.event import AGENT_LIMIT, clean
from analytics.rollup.agents import classify

KEPT_BITS = {4: 24, 6: 64}
"""So much of an address is kept in the audit list."""


def address(request: HttpRequest) -> str | None:
    """The client's address, an IPv6 one as the first of its /64; None if unknown.

    Who has one IPv6 address has 2**64 of them: to lock one alone would lock nobody.
    """
    meta = request.META
    found = visitor.client_address(
        meta.get("REMOTE_ADDR") or "",
        meta.get("HTTP_X_FORWARDED_FOR", ""),
        getattr(settings, "ANALYTICS_PROXIES", 0),
    )
    try:
        return str(ipaddress.ip_address(visitor.network(found).partition("/")[0]))
    except ValueError:
        return None


def network(request: HttpRequest) -> str:
    """The /24 or /64 that the client is in; empty if unknown."""
    known = address(request)
    if known is None:
        return ""
    bits = KEPT_BITS[ipaddress.ip_address(known).version]
    return str(ipaddress.ip_network(f"{known}/{bits}", strict=False))


def agent(request: HttpRequest) -> str:
    """The family of its program, as ``Firefox, Linux`` or ``curl``."""
    text = clean(request.META.get("HTTP_USER_AGENT", ""), AGENT_LIMIT)
    if not text:
        return ""
    found = classify(text)
    names = (found.bot,) if found.bot else (found.browser, found.system)
    return clean(", ".join(names), 100)
