"""Whether django-admin-charts is used only as far as this project lets it.

Reads settings and all addresses of the site.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.urls import URLPattern, URLResolver, get_resolver

VIEWS = "admin_tools_stats.views"


def check_charts(**kwargs: Any) -> list[checks.CheckMessage]:
    if not apps.is_installed("admin_tools_stats"):
        return []
    return [*_chart_addresses(), *_chart_zone()]


def _chart_addresses() -> Iterator[checks.CheckMessage]:
    bad = sorted(_addresses_of(VIEWS, get_resolver().url_patterns))
    if bad:
        yield checks.Error(
            "Addresses of django-admin-charts are included, which run text of the "
            f"request as code, and show charts to everybody: {', '.join(bad)}.",
            hint="Remove admin_tools_stats.urls. The admin draws charts without them.",
            id="analytics.E040",
        )


def _chart_zone() -> Iterator[checks.CheckMessage]:
    zone = getattr(settings, "ADMIN_CHARTS_TIMEZONE", None)
    if zone and str(zone) != settings.TIME_ZONE:
        yield checks.Error(
            f"ADMIN_CHARTS_TIMEZONE is {zone}, but days are counted in "
            f"{settings.TIME_ZONE}: no chart is drawn.",
            hint="Remove ADMIN_CHARTS_TIMEZONE.",
            id="analytics.E041",
        )


def _addresses_of(
    module: str, patterns: Sequence[URLPattern | URLResolver], before: str = ""
) -> Iterator[str]:
    """The patterns that lead to a view of ``module``, or to a class made of one."""
    for pattern in patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _addresses_of(module, pattern.url_patterns, address)
        elif module in _modules_of(pattern.callback):
            yield address


def _modules_of(view: Callable[..., Any]) -> set[str]:
    view = inspect.unwrap(view)
    made_of = inspect.getmro(getattr(view, "view_class", type(view)))
    return {getattr(view, "__module__", ""), *(one.__module__ for one in made_of)}
