"""Whether the app can work with its settings.

Reads settings and the declared dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from ..conf import get_config
from ..recording.country import countries
from ..rollup.dimensions import get_dimensions


def check_settings(**kwargs: Any) -> list[checks.CheckMessage]:
    messages: list[checks.CheckMessage] = []
    sources: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("analytics.E003", get_config),
        ("analytics.E004", get_dimensions),
    )
    for check_id, source in sources:
        try:
            source()
        except ImproperlyConfigured as error:
            messages.append(checks.Error(str(error), id=check_id))
    if not settings.USE_TZ:
        messages.append(
            checks.Error(
                "Nothing can be counted: USE_TZ is False, and hours and days of the "
                "data need aware times.",
                hint="Set USE_TZ = True.",
                id="analytics.E006",
            )
        )
    return messages


def check_countries(**kwargs: Any) -> list[checks.CheckMessage]:
    try:
        countries(get_config().country_database)
    except ImproperlyConfigured:
        # The other check's.
        return []
    except (ImportError, OSError, ValueError) as error:
        return [
            checks.Error(
                f"Countries are not recorded: {error}",
                hint="Set ANALYTICS_COUNTRY_DATABASE to a MaxMind country file, and "
                "install maxminddb; or unset it.",
                id="analytics.E007",
            )
        ]
    return []
