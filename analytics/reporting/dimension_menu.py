"""The menu of dimensions, in groups, and why some of them are empty.

Reads the declarations and the settings; queries nothing.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from ..conf import get_config
from ..rollup.dimensions import BUILT_IN, Dimension, dimensions_of

OWN = _lazy("What was asked for")
GROUPS = (
    (OWN, ("route", "path", "host")),
    (_lazy("Where it came from"), ("referrer", "campaign")),
    (
        _lazy("Who asked"),
        ("country", "language", "device", "browser", "system", "bot", "user"),
    ),
    (
        _lazy("How it was answered"),
        ("status", "method", "route_status", "exception", "error_referrer"),
    ),
)
"""Those of the project stand first in the first group."""


def groups(site: str = "") -> list[tuple[str | Promise, list[Dimension]]]:
    """What can be looked through on a site, all but the total, as the menu has it."""
    declared = {one.name: one for one in dimensions_of(site)}
    own = [one for one in declared.values() if one not in BUILT_IN]
    return [
        (
            title,
            (own if title is OWN else [])
            + [declared[name] for name in names if name in declared],
        )
        for title, names in GROUPS
    ]


def first(site: str = "") -> Dimension:
    """The dimension that is shown when none is asked for."""
    return groups(site)[0][1][0]


def switched_off(dimension: Dimension, site: str = "") -> str:
    """Why a dimension has no keys on the own site, in a sentence; mostly nothing. What
    other sites record is their own affair."""
    config = get_config()
    if site not in ("", config.site):
        return ""
    if dimension.name == "path" and not config.record_paths:
        return _("Paths are not recorded on this site: ANALYTICS_RECORD_PATHS is off.")
    if dimension.name == "user" and not config.record_users:
        return _("Users are not recorded on this site: ANALYTICS_RECORD_USERS is off.")
    known = config.country_header or config.country_database
    if dimension.name == "country" and not known:
        return _(
            "Countries are not known on this site: neither ANALYTICS_COUNTRY_HEADER "
            "nor ANALYTICS_COUNTRY_DATABASE is set."
        )
    return ""
