"""Which sites have recorders: what these announce in Redis, beside all streams.

Reads and writes one hash, ``analytics:sites``, with a client that ``stream.py`` made:
name -> when the site was heard of first and last, sealed. Bounded by `SITES_LIMIT`;
what is forged, or no name of a site, is as good as not there.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Collection, Iterable
from typing import Any

from .names import SEAL_BYTES, is_site_name, seal

SITES = "analytics:sites"
SITES_LIMIT = 100
"""So many sites can be announced, and so many are read, whoever wrote them."""
STALE_SECONDS = 30 * 86_400.0
"""A site unheard for so long makes room for another, if nothing of it waits."""


class Registry:
    """Which sites have recorders with our key: (first, last) heard of, by name."""

    def __init__(self, client: Any, key: bytes) -> None:
        self.client = client
        self._key = key

    def announce(self, site: str, now: float | None = None) -> bool:
        """Say that ``site`` is recorded; False if too many are announced already."""
        now = now or time.time()
        value: Any = self.client.hget(SITES, site)
        if value is None and self.client.hlen(SITES) >= SITES_LIMIT:
            self._make_room(now)
            if self.client.hlen(SITES) >= SITES_LIMIT:
                return False
        known = self._read(site, value)
        said = b"%d %d" % (known[0] if known else now, now)
        self.client.hset(SITES, site, said + self._seal(site, said))
        return True

    def announced(self) -> dict[str, tuple[float, float]]:
        """By name; what is forged, or no name at all, is left out."""
        found = dict(sorted(self._fields().items()))
        read = {name: self._read(name, value) for name, value in found.items()}
        return {name: times for name, times in read.items() if times}

    def announced_of(self, names: Collection[str]) -> list[str]:
        """Those of ``names`` that are announced with our key."""
        names = list(names)
        found: Any = self.client.hmget(SITES, names) if names else []
        return [n for n, v in zip(names, found, strict=True) if self._read(n, v)]

    def states(self, names: Iterable[str]) -> dict[str, tuple[int, float | None]]:
        """By name: how many batches wait, and when a drain last finished."""
        names = list(names)
        pipe = self.client.pipeline(transaction=False)
        for name in names:
            pipe.xlen(f"analytics:{name}:events")
            pipe.get(f"analytics:{name}:drained")
        answers = pipe.execute(raise_on_error=False) if names else []
        pairs = zip(names, answers[::2], answers[1::2], strict=True)
        return {
            name: (backlog if isinstance(backlog, int) else 0, _seconds(drained))
            for name, backlog, drained in pairs
        }

    def close(self) -> None:
        self.client.close()

    def _fields(self) -> dict[str, bytes]:
        """At most so many as may be there: anybody may have written more."""
        found: dict[str, bytes] = {}
        for name, value in self.client.hscan_iter(SITES, count=SITES_LIMIT):
            if len(found) >= SITES_LIMIT:
                break
            found[name.decode("ascii", "replace")] = value
        return found

    def _make_room(self, now: float) -> None:
        """Forget what is forged, and who is gone with nothing left behind."""
        found = self._fields()
        read = {name: self._read(name, value) for name, value in found.items()}
        old = [n for n, t in read.items() if t and now - t[1] > STALE_SECONDS]
        gone = [name for name, (backlog, _) in self.states(old).items() if not backlog]
        gone += [name for name, times in read.items() if times is None]
        if gone:
            self.client.hdel(SITES, *gone)

    def _read(self, site: str, value: bytes | None) -> tuple[float, float] | None:
        if value is None or not is_site_name(site):
            return None
        said = value[: -2 * SEAL_BYTES]
        if not hmac.compare_digest(value, said + self._seal(site, said)):
            return None
        first, last = said.split()
        return float(first), float(last)

    def _seal(self, site: str, said: bytes) -> bytes:
        return seal(self._key, b"sites", site.encode(), said).hex().encode()


def _seconds(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, bytes) else None
    except ValueError:
        return None
