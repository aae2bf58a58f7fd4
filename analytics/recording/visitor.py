"""Who asked: a keyed hash that tells visitors apart and names none of them.

Reads a client address and a user agent; neither leaves the process. Source of the
cut to /64: a network gives each of its IPv6 customers at least that much.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b

from .event import VISITOR_BITS

FORWARDED_LIMIT = 2_000
EPOCH = date(1970, 1, 1)
DAY_NS = 86_400 * 10**9


class VisitorHash:
    """Hashes for one site. The period's name changes the hash when it passes."""

    def __init__(self, key: bytes) -> None:
        self._key = blake2b(key, person=b"visitor", digest_size=32).digest()

    def of(self, address: str, agent: str, period: str) -> int:
        text = f"{network(address)}\0{agent}\0{period}"
        data = text.encode("utf-8", "surrogatepass")
        digest = blake2b(data, key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "big") >> (64 - VISITOR_BITS)


def network(address: str) -> str:
    """The address, an IPv6 one cut to its /64; other text unchanged.

    An IPv4 address mapped into IPv6 is the IPv4 address.
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))


def client_address(remote: str, forwarded: str, proxies: int) -> str:
    """The client's address, when ``proxies`` own proxies stand before the site.

    Each of them appends the address it was asked from to ``X-Forwarded-For``, so the
    right-most ``proxies`` entries are theirs and everything left of them is hearsay.
    """
    if not proxies or not forwarded:
        return remote
    hops = forwarded[-FORWARDED_LIMIT:].rsplit(",", proxies)
    hop = hops[-proxies] if len(hops) >= proxies else hops[0]
    try:
        return str(ipaddress.ip_address(hop.strip()))
    except ValueError:
        return remote


def _month(arrived: int) -> str:
    return _date(arrived)[:7]


def _date(arrived: int) -> str:
    """The UTC date: a period has to begin at one moment for all processes."""
    return _name_of_day(arrived // DAY_NS)


@lru_cache(maxsize=2)
def _name_of_day(number: int) -> str:
    """Of the day with that number since 1970, asked for by every request of it."""
    return (EPOCH + timedelta(days=number)).isoformat()


PERIODS: Mapping[str, Callable[[int], str] | None] = {
    "stable": None,
    "month": _month,
    "day": _date,
}
"""The name of the period that a moment, in ns since 1970, is in."""
