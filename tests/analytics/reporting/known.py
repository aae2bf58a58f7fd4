"""Requests whose keys are known by hand, in every dimension there is.

What a dimension makes of an event is written down here a second time, from what its
page in the docs says, and never asked of the declaration.
"""

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product as pairs_of

from hypothesis import strategies as st

from analytics.recording.event import RequestEvent
from products.models import FormerSlug
from tests.analytics.recording.events import event
from tests.products.making import category, product

PEOPLE, BOTS, STAFF = range(3)
SUMS = ("requests", "views", "errors", "bytes", "duration")
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
DELETED = "(deleted)"


@dataclass(frozen=True)
class Who:
    """Somebody who asks, and what is known of them."""

    audience: int
    agent: str
    keys: dict[str, str | None]
    """Of device, browser, system and bot."""
    fields: dict[str, object]


@dataclass(frozen=True)
class Known:
    """A request, and what it is to be counted as."""

    event: RequestEvent
    audience: int
    keys: dict[str, str | None]
    """Dimension -> key; None: not counted by it."""


def somebody(audience, agent, device, browser, system, bot, **fields) -> Who:
    names = ("device", "browser", "system", "bot")
    keys = dict(zip(names, (device, browser, system, bot), strict=True))
    return Who(audience, agent, keys, fields | {"staff": audience == STAFF})


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
ON_LINUX = (FIREFOX, "desktop", "Firefox", "Linux", None)
ON_ANDROID = (ANDROID, "phone", "Chrome Mobile", "Android", None)
WHO = (
    somebody(PEOPLE, *ON_LINUX, language="de-at", country="AT", visitor=1),
    somebody(PEOPLE, *ON_LINUX, language="de", country="DE", visitor=2, user="7"),
    somebody(PEOPLE, *ON_ANDROID, language="", country="", visitor=3),
    somebody(PEOPLE, *ON_ANDROID, language="en", country="AT", visitor=0),
    somebody(PEOPLE, "Gadget 7", *["(unknown)"] * 3, None, language="en", visitor=4),
    somebody(BOTS, GOOGLE, None, None, None, "Googlebot", language="en", visitor=5),
    somebody(BOTS, "curl/8.5.0", None, None, None, "curl", language="", visitor=6),
    somebody(BOTS, "", None, None, None, "(unknown)", language="", visitor=6),
    somebody(STAFF, *ON_LINUX, language="de", country="AT", visitor=7, user="1"),
    somebody(STAFF, GOOGLE, None, None, None, "Googlebot", visitor=5, language="en"),
)
DETAIL, SHELF = "products:detail", "products:category"
# Route, view, slug, status, exception.
PAGES = (
    ("/", "home", "", 200, ""),
    ("/", "home", "", 304, ""),
    ("/", "home", "", 500, "KeyError"),
    ("/", "home", "", 499, "OSError"),
    ("/p/<slug:slug>/", DETAIL, "lamp", 200, ""),
    ("/p/<slug:slug>/", DETAIL, "old-lamp", 200, ""),
    ("/p/<slug:slug>/", DETAIL, "mug", 304, ""),
    ("/p/<slug:slug>/", DETAIL, "gone", 200, ""),
    ("/p/<slug:slug>/", DETAIL, "gone", 404, ""),
    ("/c/<slug:slug>/", SHELF, "kitchen", 200, ""),
    ("/c/<slug:slug>/", SHELF, "nowhere", 200, ""),
    ("", "", "", 404, ""),
    ("", "", "", 301, ""),
)
HOSTS = ("", "example.org", "www.example.org")
REFERRERS = ("", "a.example.org", "b.example.org")
CAMPAIGNS = ("", "news / mail / -", "- / - / spring")
METHODS = ("GET", "POST", "BREW")
ASKED = tuple(pairs_of(HOSTS, REFERRERS, CAMPAIGNS, METHODS, ("", "/p/lamp/")))


class Shelf:
    """Products, one of which had another address, and what their keys are."""

    def __init__(self) -> None:
        lamp = product("lamp", category="lighting")
        mug = product("mug", category="kitchen")
        FormerSlug.objects.create(slug="old-lamp", product=lamp)
        self.products = {"lamp": lamp, "old-lamp": lamp, "mug": mug}
        self.categories = {"kitchen": category("kitchen")}

    def product(self, slug: str) -> str:
        found = self.products.get(slug)
        return str(found.pk) if found else DELETED

    def category_of(self, slug: str) -> str:
        found = self.products.get(slug)
        return str(found.category_id) if found else DELETED

    def category(self, slug: str) -> str:
        found = self.categories.get(slug)
        return str(found.pk) if found else DELETED

    def keys(self, view: str, slug: str, status: int) -> dict[str, str | None]:
        shown = status in (200, 304)
        of_product = self.product(slug) if view == DETAIL and shown else None
        home = self.category_of(slug) if of_product else None
        if view == SHELF and shown:
            home = self.category(slug)
        return {"product": of_product, "category": home}


def known(
    shelf: Shelf, moment: datetime.datetime, who: Who, page, asked, size: int
) -> Known:
    """A request of somebody for a page, and the keys it must have."""
    route, view, slug, status, exception = page
    host, referrer, campaign, method, path = asked
    made = event(
        time=int(moment.timestamp() * 1000),
        agent=who.agent,
        route=route,
        view=view,
        kwargs={"slug": slug} if slug else {},
        status=status,
        exception=exception,
        host=host,
        referrer=referrer,
        campaign=campaign,
        method=method,
        path=path,
        page=status in (200, 304) and method == "GET",
        bytes=size,
        duration=1_000 + size,
        **who.fields,
    )
    shown = route or {404: "(not found)", 301: "(no view)"}[status]
    failed = status >= 400 or exception
    keys = who.keys | shelf.keys(view, slug, status)
    keys |= {
        "total": "",
        "route": shown,
        "status": str(status),
        "method": {"BREW": "(other)"}.get(method, method),
        "exception": exception or None,
        "error_referrer": (referrer or "(none)") if failed else None,
        "host": host or None,
        "path": path or None,
        "referrer": referrer or None,
        "campaign": campaign or None,
        "country": made.country or None,
        "language": made.language[:2] or None,
        "route_status": f"{shown} × {status}",
        "user": made.user or None,
    }
    of_product = keys["product"]
    for name in ("referrer", "campaign"):
        both = of_product and keys[name]
        keys[f"product_{name}"] = f"{of_product} × {keys[name]}" if both else None
    return Known(made, who.audience, keys)


def some_known(shelf: Shelf, moments: Sequence[datetime.datetime]):
    """A strategy: some dozens of requests, each at one of the moments."""
    one = st.tuples(*map(st.sampled_from, (moments, WHO, PAGES, ASKED, range(5))))
    return st.lists(one, min_size=25, max_size=70).map(
        lambda many: [known(shelf, *parts) for parts in many]
    )


def measures(many: Sequence[Known]) -> dict[str, int]:
    """By counting, one request after the other."""
    events = [one.event for one in many]
    return {
        "requests": len(events),
        "views": sum(one.page for one in events),
        "errors": sum(one.status >= 500 or bool(one.exception) for one in events),
        "bytes": sum(one.bytes for one in events),
        "duration": sum(one.duration for one in events),
        "visitors": len({one.visitor for one in events} - {0}),
    }


def within(
    many: Sequence[Known],
    start: datetime.datetime,
    end: datetime.datetime,
    audiences: Sequence[int],
) -> list[Known]:
    low, high = (int(moment.timestamp() * 1000) for moment in (start, end))
    return [
        one
        for one in many
        if low <= one.event.time < high and one.audience in audiences
    ]


def by_key(many: Sequence[Known], dimension: str) -> dict[str, list[Known]]:
    found: dict[str, list[Known]] = {}
    for one in many:
        if (key := one.keys[dimension]) is not None:
            found.setdefault(key, []).append(one)
    return found


def summed(many: Sequence[Known], dimension: str, measure: str) -> Counter[str]:
    """Key -> its sum."""
    found = by_key(many, dimension)
    return Counter({key: measures(some)[measure] for key, some in found.items()})
