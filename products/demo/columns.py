"""Requests as arrays: what `people` and `others` make, and `traffic` turns to events.

Arrays of equal length; texts are places in the tables below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from .pages import CODES

NO_PRODUCT = -1
REFERRERS = (
    "",
    "search.example.com",
    "social.example.com",
    "blog.example.net",
    "newsletter.example.org",
    "oldblog.example.net",
    "forum.example.com",
    "links.example.org",
)
SOURCES = {"": 46, "search.example.com": 33, "social.example.com": 12}
SOURCES |= {"blog.example.net": 9}
"""Where usual visits come from, in percent."""
OLD_LINKS = {
    "oldblog.example.net": 60,
    "forum.example.com": 28,
    "links.example.org": 12,
}
"""Sites that still link to pages long gone."""
LANGUAGES = ("en", "de", "fr", "nl", "es", "")
MOZILLA = "Mozilla/5.0"
BROWSERS = (
    f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    f"{MOZILLA} (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0",
    f"{MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Safari/537.36",
    f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Safari/605.1.15",
    f"{MOZILLA} (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    f"{MOZILLA} (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Mobile Safari/537.36",
)
CRAWLERS = (
    f"{MOZILLA} (compatible; Googlebot/2.1)",
    f"{MOZILLA} (compatible; bingbot/2.0)",
    f"{MOZILLA} (compatible; AhrefsBot/7.0)",
    f"{MOZILLA} (compatible; SemrushBot/7~bl)",
    f"{MOZILLA} (compatible; GPTBot/1.2)",
    f"{MOZILLA} (compatible; DuckDuckBot/1.1)",
)
MONITOR = f"{MOZILLA} (compatible; UptimeRobot/2.0)"
SCANNER = "python-requests/2.32.4"
AGENTS = (*BROWSERS, *CRAWLERS, MONITOR, SCANNER)


@dataclass(slots=True)
class Requests:
    """Some requests of one day."""

    time: np.ndarray
    """Milliseconds since 1970."""
    page: np.ndarray
    """Place in ``PAGES``."""
    product: np.ndarray
    """Place among the goods, or ``NO_PRODUCT``."""
    visitor: np.ndarray
    referrer: np.ndarray
    """Place in ``REFERRERS``."""
    agent: np.ndarray
    """Place in ``AGENTS``."""
    staff: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    def where(self, chosen: np.ndarray) -> Requests:
        """Some of them, or all in another order."""
        return Requests(*(getattr(self, f.name)[chosen] for f in fields(self)))


def joined(parts: Iterable[Requests]) -> Requests:
    """All of them, in the order of their times."""
    parts = list(parts)
    whole = Requests(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Requests)
        )
    )
    return whole.where(np.argsort(whole.time, kind="stable"))


def draw(
    dice: np.random.Generator, table: Mapping[str, float], places: Mapping, count: int
) -> np.ndarray:
    """``count`` places of names of ``table``, as often as their weights say."""
    found = np.array([places[name] for name in table])
    return found[pick(dice, np.array(list(table.values()), float), count)]


def pick(dice: np.random.Generator, weights: np.ndarray, count: int) -> np.ndarray:
    """``count`` places in ``weights``, each as likely as it is heavy."""
    edges = np.cumsum(weights)
    return np.searchsorted(edges, dice.random(count) * edges[-1], side="right")


def pages(dice: np.random.Generator, table: Mapping[str, float], n: int) -> np.ndarray:
    return draw(dice, table, CODES, n)


def referrers(
    dice: np.random.Generator, table: Mapping[str, float], n: int
) -> np.ndarray:
    return draw(dice, table, {name: i for i, name in enumerate(REFERRERS)}, n)


def visitor_numbers(seed: int, persons: np.ndarray) -> np.ndarray:
    """53 bits that look like hashes, the same for the same person (splitmix64)."""
    x = persons.astype(np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15) % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.int64)
