"""Hangs the overview and its JSON on the admin site that has the rollups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from ..reporting import pages
from . import explore_export

ADDRESSES = (
    ("overview/", pages.overview, "analytics_overview"),
    ("overview/chart/", pages.chart_data, "analytics_chart_data"),
    ("overview/numbers/", pages.numbers_data, "analytics_numbers"),
    ("explore/", pages.explore, "analytics_explore"),
    ("explore/export/", explore_export.export, "analytics_explore_export"),
    ("explore/data/", pages.explore_data, "analytics_explore_data"),
    ("overview/waiting/", pages.waiting_data, "analytics_waiting"),
)


class OverviewAddresses:
    """For a ``ModelAdmin``: its addresses, and in front of them the overview's."""

    def get_urls(self) -> list[URLPattern]:
        addresses = [
            path(route, self._with_site(view), name=name)
            for route, view, name in ADDRESSES
        ]
        return [*addresses, *super().get_urls()]

    def _with_site(
        self, view: Callable[..., HttpResponse]
    ) -> Callable[..., HttpResponse]:
        def with_site(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            return view(request, self.admin_site, **kwargs)

        return self.admin_site.admin_view(with_site)
