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

from ..conf import get_config
from ..recording.event import KWARGS_LIMIT, METHODS, RequestEvent
from . import labels
from .agents import classify
from .buckets import Grain
from .labels import Label

OTHER = "(other)"
"""What the keys over a day's cap are counted as."""
NOT_FOUND = "(not found)"
"""The one route of all paths that lead nowhere."""
NO_VIEW = "(no view)"
"""The route of what a middleware answered: redirects, bad hosts."""
SEPARATOR = " × "
"""Between the keys of a pair."""
NO_REFERRER = "(none)"
"""Typed, bookmarked, from the site itself, or not told."""

STATUSES = tuple(map(str, range(600)))
KEY_LIMIT = 200
_ROUTE_LIMIT = KEY_LIMIT - len(SEPARATOR) - len(STATUSES[-1])

Key = str | tuple[str, ...] | None


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
    """The event's key, several keys, or None: not counted. At most 200 characters are
    stored."""
    reads: tuple[str, ...] | None = None
    """The event's fields that ``key`` looks at, and no others; None: any. Events that
    agree in them are asked for their key once a batch."""
    meaning: str | Promise = ""
    """For people: what a key is, and which requests have none, in a sentence."""
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
    find: Callable[[str], Sequence[str]] | None = None
    """What people search for -> stored keys; if missing, the keys are searched."""
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


def _route_status(event: RequestEvent) -> str:
    """Of a long route the end is cut, not the status."""
    return f"{_route(event)[:_ROUTE_LIMIT]}{SEPARATOR}{STATUSES[event.status]}"


def _language(event: RequestEvent) -> str | None:
    """The language alone: of ``de-at`` it is ``de``."""
    return event.language.partition("-")[0] or None


WITH_MINUTES = {Grain.MINUTE: 2, Grain.HOUR: 90, Grain.DAY: None}

BUILT_IN = (
    Dimension(
        name="total",
        label=_("Total"),
        key=lambda event: "",
        reads=(),
        meaning=_("All requests together."),
        days=WITH_MINUTES,
        latency=True,
        visitors=True,
    ),
    Dimension(
        name="route",
        label=_("Route"),
        key=_route,
        reads=("route", "status"),
        meaning=_(
            "The pattern of the address that was asked for, as the site declares it."
        ),
        days=WITH_MINUTES,
        latency=True,
        visitors=True,
        card=Card(_("Routes"), "requests"),
    ),
    Dimension(
        name="status",
        label=_("Status"),
        key=lambda event: STATUSES[event.status],
        reads=("status",),
        meaning=_(
            "The number of the answer: 2xx went well, 4xx was refused, 5xx failed."
        ),
        describe=labels.statuses,
        find=labels.find_status,
    ),
    Dimension(
        name="method",
        label=_("Method"),
        key=_method,
        reads=("method",),
        meaning=_("What was to be done: GET reads a page, POST sends a form."),
    ),
    Dimension(
        name="exception",
        label=_("Exception"),
        key=lambda event: event.exception or None,
        reads=("exception",),
        meaning=_("The kind of error that nobody in the site’s code has handled."),
        visitors=True,
    ),
    Dimension(
        name="error_referrer",
        label=_("Referrer of errors"),
        key=_error_referrer,
        reads=("status", "exception", "referrer"),
        meaning=_(
            "The site whose link led to a request that was refused or failed; (none) "
            "came without one."
        ),
        card=Card(_("Broken links and errors, by referrer"), "requests"),
    ),
    Dimension(
        name="host",
        label=_("Host"),
        key=lambda event: event.host or None,
        reads=("host",),
        meaning=_("The name under which the site was asked for."),
        cap=200,
    ),
    Dimension(
        name="path",
        label=_("Path"),
        key=lambda event: event.path or None,
        reads=("path",),
        meaning=_("The address that was asked for, word by word."),
        cap=5_000,
    ),
    Dimension(
        name="referrer",
        label=_("Referrer"),
        key=lambda event: event.referrer or None,
        reads=("referrer",),
        meaning=_(
            "Another site whose link led here; clicks within this site have none."
        ),
        visitors=True,
        card=Card(_("Referrers")),
    ),
    Dimension(
        name="campaign",
        label=_("Campaign"),
        key=lambda event: event.campaign or None,
        reads=("campaign",),
        meaning=_(
            "Source / medium / campaign, from the utm words of the link that led here."
        ),
        visitors=True,
    ),
    Dimension(
        name="country",
        label=_("Country"),
        key=lambda event: event.country or None,
        reads=("country",),
        meaning=_("Where the visitor’s address is registered."),
        describe=labels.countries,
        find=labels.find_country,
        visitors=True,
        cap=300,
    ),
    Dimension(
        name="language",
        label=_("Language"),
        key=_language,
        reads=("language",),
        meaning=_("The language that the visitor’s browser asks for first."),
        describe=labels.languages,
        find=labels.find_language,
        visitors=True,
        cap=300,
    ),
    Dimension(
        name="device",
        label=_("Device"),
        key=lambda event: classify(event.agent).device or None,
        reads=("agent",),
        meaning=_("The kind of device: phone, tablet, desktop or television."),
        visitors=True,
    ),
    Dimension(
        name="browser",
        label=_("Browser"),
        key=lambda event: classify(event.agent).browser or None,
        reads=("agent",),
        meaning=_("The family of the browser, without its version."),
        visitors=True,
    ),
    Dimension(
        name="system",
        label=_("Operating system"),
        key=lambda event: classify(event.agent).system or None,
        reads=("agent",),
        meaning=_("What the visitor’s device runs on, without its version."),
        visitors=True,
    ),
    Dimension(
        name="bot",
        label=_("Bot"),
        key=lambda event: classify(event.agent).bot or None,
        reads=("agent",),
        meaning=_(
            "The program that asked, by the name it gives itself; people have none."
        ),
    ),
    Dimension(
        name="route_status",
        label=_("Route × status"),
        key=_route_status,
        reads=("route", "status"),
        meaning=_("A route, with how its requests were answered."),
        cap=2_000,
    ),
    Dimension(
        name="user",
        label=_("User"),
        key=lambda event: event.user or None,
        reads=("user",),
        meaning=_("The number of the signed-in user."),
        describe=labels.users,
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


def dimensions_of(site: str) -> tuple[Dimension, ...]:
    """What a site is counted by: another one than ours has neither our objects nor our
    users, though their keys may look alike."""
    if site in ("", get_config().site):
        return get_dimensions()
    return tuple(one for one in BUILT_IN if one.name != "user")


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
