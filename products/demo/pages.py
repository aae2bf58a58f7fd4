"""The pages that demo visitors ask for: their names in the real URLconf, and how long
each takes and how large it is.

Reads the URLconf, so that what is counted is what a real request would be counted as.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.urls import resolve, reverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One view, as requests ask for it."""

    view: str
    """``namespace:name``; empty for an address that leads nowhere."""
    args: tuple[str, ...] = ()
    """Arguments of an example."""
    method: str = "GET"
    status: int = 200
    html: bool = True
    median: float
    """Milliseconds."""
    size: int
    """Bytes of the body."""

    @property
    def route(self) -> str:
        """The pattern as an event has it; raises if there is no such view."""
        if not self.view:
            return ""
        return f"/{resolve(reverse(self.view, args=self.args)).route}"


PAGES = {
    "home": Page(view="products:home", median=11, size=9_800),
    "list": Page(view="products:list", median=24, size=14_500),
    "category": Page(
        view="products:category", args=("kitchen",), median=17, size=11_900
    ),
    "detail": Page(view="products:detail", args=("mug",), median=8, size=6_700),
    "about": Page(view="products:about", median=2.5, size=4_100),
    "prices": Page(view="products:price-list", html=False, median=31, size=9_200),
    "missing": Page(view="", status=404, median=3, size=2_300),
    "probe": Page(view="products:home", method="HEAD", median=10, size=0),
    "login": Page(
        view="admin:login",
        method="POST",
        status=302,
        html=False,
        median=190,
        size=0,
    ),
    "admin": Page(view="admin:index", median=38, size=12_000),
    "products": Page(view="admin:products_product_changelist", median=66, size=42_000),
    "product": Page(
        view="admin:products_product_change", args=("1",), median=29, size=18_000
    ),
    "save": Page(
        view="admin:products_product_change",
        args=("1",),
        method="POST",
        status=302,
        html=False,
        median=34,
        size=0,
    ),
}
CODES = {name: code for code, name in enumerate(PAGES)}
"""Name -> place in ``PAGES``: how arrays of requests name them."""


@lru_cache(maxsize=1)
def routes() -> tuple[str, ...]:
    """The route of each page, in their order."""
    return tuple(page.route for page in PAGES.values())
