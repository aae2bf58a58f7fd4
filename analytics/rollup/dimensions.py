"""The dimensions: what requests are counted by. This list is the table of contents.

An installed app adds its own with a module ``dimensions`` that holds a sequence
``DIMENSIONS``; see ``docs/dimensions.md``. Reads events; writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import NamedTuple

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _

from ..recording.event import KWARGS_LIMIT, RequestEvent
from .buckets import Grain

OTHER = "(other)"
"""What the keys over a day's cap are counted as."""
NOT_FOUND = "(not found)"
"""The one route of all paths that lead nowhere."""
NO_VIEW = "(no view)"
"""The route of what a middleware answered: redirects, bad hosts."""
NO_REFERRER = "(none)"
"""Typed, bookmarked, from the site itself, or not told."""

METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)
STATUSES = tuple(map(str, range(600)))
KEY_LIMIT = 200

Key = str | tuple[str, ...] | None


class Label(NamedTuple):
    """What people see of a key."""

    text: str
    url: str = ""
    """Where a click on it leads, if anywhere."""
    permission: str = ""
    """Who may follow it, as ``app.codename``; empty: whoever sees it."""


class Card(NamedTuple):
    """What the overview shows of a dimension: its largest keys."""

    title: str | Promise
    measure: str = "views"
    """The sum that ranks them: ``requests``, ``views`` or ``errors``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One thing to count by."""

    name: str
    """Stored with every row: at most 32 lower-case letters."""
    label: str | Promise
    key: Callable[[RequestEvent], Key]
    """The event's key of at most 200 characters, several keys, or None: not counted."""
    days: Mapping[Grain, int | None] = field(
        default_factory=lambda: {Grain.HOUR: 90, Grain.DAY: None}
    )
    """Grain -> days its rows are kept, None for ever. The day grain is a must."""
    cap: int = 1_000
    """How many keys a day may bring; the others are ``(other)``."""
    latency: bool = False
    """Whether rows have a histogram of durations."""
    visitors: bool = False
    """Whether rows have a sketch of visitors."""
    kwargs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """View name -> URL keyword arguments that ``key`` needs in the event."""
    resolve: Callable[[Sequence[str]], Mapping[str, str]] | None = None
    """Keys as events have them -> keys to store, asked once for a batch of events.
    An event whose key is missing in the answer is not counted by the dimension."""
    describe: Callable[[Sequence[str]], Mapping[str, Label]] | None = None
    """Stored keys -> their labels; a key that is missing is shown as it is."""
    card: Card | None = None
    """Its place on the overview, if it has one."""

    @property
    def grains(self) -> tuple[Grain, ...]:
        return tuple(self.days)


def _route(event: RequestEvent) -> str:
    return event.route or (NOT_FOUND if event.status == 404 else NO_VIEW)


def _method(event: RequestEvent) -> str:
    return event.method if event.method in METHODS else OTHER


def _error_referrer(event: RequestEvent) -> str | None:
    """The site that led to a request that failed: a broken link, mostly."""
    if event.status < 400 and not event.exception:
        return None
    return event.referrer or NO_REFERRER


WITH_MINUTES = {Grain.MINUTE: 2, Grain.HOUR: 90, Grain.DAY: None}

BUILT_IN = (
    Dimension(
        name="total",
        label=_("Total"),
        key=lambda event: "",
        days=WITH_MINUTES,
        latency=True,
        visitors=True,
    ),
    Dimension(
        name="route",
        label=_("Route"),
        key=_route,
        days=WITH_MINUTES,
        latency=True,
        visitors=True,
        card=Card(_("Routes"), "requests"),
    ),
    Dimension(
        name="status", label=_("Status"), key=lambda event: STATUSES[event.status]
    ),
    Dimension(name="method", label=_("Method"), key=_method),
    Dimension(
        name="exception",
        label=_("Exception"),
        key=lambda event: event.exception or None,
        visitors=True,
    ),
    Dimension(
        name="error_referrer",
        label=_("Referrer of errors"),
        key=_error_referrer,
        card=Card(_("Broken links and errors, by referrer"), "requests"),
    ),
    Dimension(
        name="user",
        label=_("User"),
        key=lambda event: event.user or None,
        cap=5_000,
    ),
)


@lru_cache(maxsize=1)
def get_dimensions() -> tuple[Dimension, ...]:
    """All dimensions: the built-in ones, then those of the installed apps."""
    found = [*BUILT_IN, *_discovered()]
    names = [dimension.name for dimension in found]
    for dimension in found:
        _verify(dimension, names)
    return tuple(found)


def declared_kwargs() -> dict[str, tuple[str, ...]]:
    """View name -> the URL's keyword arguments that a dimension asks for."""
    declared: dict[str, tuple[str, ...]] = {}
    for dimension in get_dimensions():
        for view, names in dimension.kwargs.items():
            declared[view] = tuple(dict.fromkeys((*declared.get(view, ()), *names)))
    return {view: names[:KWARGS_LIMIT] for view, names in declared.items()}


def _discovered() -> Iterable[Dimension]:
    for config in apps.get_app_configs():
        if config.label != "analytics" and module_has_submodule(
            config.module, "dimensions"
        ):
            yield from getattr(
                import_module(f"{config.name}.dimensions"), "DIMENSIONS", ()
            )


def _verify(dimension: Dimension, names: list[str]) -> None:
    name = dimension.name
    if not (name.isidentifier() and name.islower() and len(name) <= 32):
        raise ImproperlyConfigured(f"Dimension {name!r}: not a lower-case name.")
    if names.count(name) > 1:
        raise ImproperlyConfigured(f"Dimension {name!r} is declared twice.")
    if Grain.DAY not in dimension.days:
        raise ImproperlyConfigured(f"Dimension {name!r} has no day grain.")
