"""The sites of this dashboard: its own one, and those that staff registered.

Reads the registry in SQL and what recorders announced in Redis. Nothing of a site that
is not registered is ever counted; it waits, and `waiting` tells of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections, router
from django.utils import timezone
from django.utils.translation import gettext as _

from .conf import get_config, get_registry
from .models import Site
from .recording.folder import origin_of, producer_directories
from .recording.names import is_site_name
from .stream import StreamError, moment

DRAINED_SECONDS = 300.0
"""A site that was drained so lately, and not by us, is counted somewhere else."""


class SiteError(ValueError):
    """Why a site cannot be registered, or looked at, and what to do."""


@dataclass(frozen=True, slots=True)
class WaitingSite:
    """A site whose recorders speak to us, and whose requests are not counted."""

    name: str
    first_seen: datetime | None
    seen: datetime | None
    batches: int
    """Waiting in Redis; what is beyond the shippers' limit waits on its disks."""
    elsewhere: bool
    """Whether another installation counts it."""
    registered: bool = False
    """It is, but was deactivated."""


def register_own(using: str = "default", **kwargs: Any) -> None:
    """Register the site of the settings. Connected to ``post_migrate``."""
    if not router.allow_migrate_model(using, Site):
        return
    # Migrations of another app alone end here, too, and those back to before sites.
    if Site._meta.db_table in connections[using].introspection.table_names():
        rows = Site.objects.using(using)
        rows.get_or_create(
            name=get_config().site,
            defaults={"first_seen": timezone.now(), "added_by": "settings"},
        )


def known() -> list[Site]:
    """All sites whose numbers can be looked at, the own one first. One query."""
    own = get_config().site
    rows = {row.name: row for row in Site.objects.order_by("name")}
    first = rows.pop(own, None) or Site(name=own)
    return [first, *rows.values()]


def chosen(name: str) -> str:
    """The site that an address names; the own one if it names none. One query, none
    for the own one. Raises SiteError."""
    own = get_config().site
    if not name or name == own:
        return own
    if not is_site_name(name) or not Site.objects.filter(name=name).exists():
        raise SiteError(_("There is no site of this name."))
    return name


def to_drain() -> list[str]:
    """The own site, and those active ones whose recorders have our key: the entries of
    others could not be read, and would be thrown away."""
    own = get_config().site
    try:
        return [own, *_announced(_active(), 1.0)]
    except StreamError:
        # Draining the own site will tell.
        return [own]


def to_ship() -> list[str]:
    """The own site, and those with our key whose journals are in our folder, whether
    they are counted or wait to be. Raises StreamError."""
    config = get_config().recorder
    origins = map(origin_of, producer_directories(config.journal_dir))
    others = {origin.site for origin in origins if origin} - {"", config.site}
    return [config.site, *_announced(sorted(others), 1.0)]


def unheard(timeout: float = 1.0) -> list[str]:
    """Active sites that are not drained, for they are not announced with our key: the
    recorders have another one, or none ever ran. Raises StreamError."""
    names = _active()
    found = _announced(names, timeout)
    return [name for name in names if name not in found]


def _active() -> list[str]:
    """All but the own one."""
    rows = Site.objects.filter(active=True).exclude(name=get_config().site)
    return list(rows.order_by("name").values_list("name", flat=True))


def _announced(names: list[str], timeout: float) -> list[str]:
    """Those with our key. Raises StreamError."""
    if not names:
        return []
    registry = get_registry(timeout)
    try:
        return registry.announced_of(names)
    finally:
        registry.close()


def waiting(timeout: float = 1.0) -> list[WaitingSite]:
    """What asks to be registered, or was deactivated. Raises StreamError."""
    registry = get_registry(timeout)
    try:
        announced = registry.announced()
        rows = dict(Site.objects.values_list("name", "active"))
        names = [n for n in announced if not rows.get(n) and n != get_config().site]
        states = registry.states(names)
    finally:
        registry.close()
    now = time.time()
    return [
        WaitingSite(
            name,
            *map(moment, announced[name]),
            batches=batches,
            elsewhere=drained is not None and now - drained < DRAINED_SECONDS,
            registered=name in rows,
        )
        for name, (batches, drained) in states.items()
    ]


def register(name: str, by: str) -> Site:
    """Count a site from now on, and all that waits of it. Raises SiteError."""
    try:
        found = {site.name: site for site in waiting()}.get(name)
    except StreamError as error:
        raise SiteError(_("Redis did not answer: %s.") % error) from error
    if found is None:
        raise SiteError(_("No recorder with this dashboard's key announces this site."))
    if found.elsewhere and not found.registered:
        raise SiteError(
            _(
                "Another installation counts this site: if both did, each would have "
                "a part of it."
            )
        )
    values = {"active": True}
    row, _created = Site.objects.update_or_create(
        name=name,
        defaults=values,
        create_defaults=values
        | {"first_seen": found.first_seen or timezone.now(), "added_by": by[:150]},
    )
    return row
