"""The admin of this site: what its sidebar lists, and the overview as its index.

Reads the registered models, the user's permissions and the address space; writes
nothing. Every answer of the admin is marked as not to be stored by anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from access.factors import gate
from analytics.reporting import pages

Entry = dict[str, Any]


class Page(NamedTuple):
    """A page of the sidebar that is not the list of a model."""

    name: str | Promise
    url_name: str
    permission: str
    inside: str = ""
    """The URL name of another page that belongs to it."""


class Group(NamedTuple):
    """A part of the sidebar: its pages and models, in the order it shows them."""

    slug: str
    name: str | Promise
    members: tuple[Page | str, ...]


GROUPS = (
    Group(
        "traffic",
        _("Traffic"),
        (
            Page(_("Overview"), "index", pages.PERMISSION, "analytics_overview"),
            Page(_("Explore"), "analytics_explore", pages.PERMISSION),
            Page(
                _("Charts"), "analytics_charts", "admin_tools_stats.view_dashboardstats"
            ),
            "admin_tools_stats.dashboardstats",
            "admin_tools_stats.dashboardstatscriteria",
            "analytics.rollup",
        ),
    ),
    Group("catalogue", _("Catalogue"), ("products.product", "products.category")),
    Group(
        "operations",
        _("Operations"),
        (
            Page(_("Health"), "analytics_health", "analytics.view_producer"),
            "django_celery_beat.periodictask",
            "analytics.jobrun",
            "analytics.producer",
            "analytics.deadletter",
            "analytics.importedfile",
            "analytics.site",
            "analytics.retention",
            "django_celery_beat.intervalschedule",
            "django_celery_beat.crontabschedule",
            "django_celery_beat.clockedschedule",
            "django_celery_beat.solarschedule",
        ),
    ),
    Group(
        "access",
        _("Access"),
        (
            "auth.user",
            "auth.group",
            "access.apitoken",
            "access.authenticator",
            "access.grant",
            "access.application",
            "access.signin",
            Page(_("Privacy"), "analytics_privacy", pages.PERMISSION),
        ),
    ),
)


NAMES = {
    "admin_tools_stats.dashboardstats": _("Chart definitions"),
    "admin_tools_stats.dashboardstatscriteria": _("Chart criteria"),
    "analytics.producer": _("Ledger"),
    "django_celery_beat.clockedschedule": _("Points in time"),
    "django_celery_beat.periodictask": _("Schedule"),
}
"""Shorter names than those the models give themselves."""


class DashboardSite(AdminSite):
    site_header = site_title = _("Dashboard")
    index_title = _("Overview")
    index_template = "admin/start.html"

    def admin_view(
        self, view: Callable[..., HttpResponse], cacheable: bool = False
    ) -> Callable[..., HttpResponse]:
        """Nothing of the admin may be kept by a browser or a proxy, whatever asks."""
        return super().admin_view(view, cacheable=False)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Whose password was right goes on to the code, and not back to the form."""
        onward = gate.onward(request) if request.method == "GET" else None
        return onward or super().login(request, extra_context)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The overview, or a list of what there is for who may not see numbers."""
        if request.user.has_perm(pages.PERMISSION):
            return pages.overview(request, self, extra_context)
        context = {"title": _("Welcome"), **(extra_context or {})}
        return super().index(request, context)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[Entry]:
        """In groups, but an app's own index lists the app as Django does."""
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        models = {
            m["model"]._meta.label_lower: m for app in apps for m in app["models"]
        }
        groups = [self._group(request, group, models) for group in GROUPS]
        groups += [{**app, "models": _left(app["models"], models)} for app in apps]
        groups = [group for group in groups if group["models"]]
        _mark_current(groups, request.path)
        return groups

    def _group(
        self, request: HttpRequest, group: Group, models: dict[str, Entry]
    ) -> Entry:
        """One group as Django's templates expect an app; takes its models out."""
        found = list(self._entries(request, group.members, models))
        return {
            "name": group.name,
            "app_label": group.slug,
            "app_url": next((e["admin_url"] or e["add_url"] for e in found), None),
            "has_module_perms": bool(found),
            "models": found,
        }

    def _entries(
        self,
        request: HttpRequest,
        members: Iterable[Page | str],
        models: dict[str, Entry],
    ) -> Iterator[Entry]:
        for member in members:
            if isinstance(member, str):
                entry = models.pop(member, None)
                if entry and member in NAMES:
                    entry["name"] = NAMES[member]
            else:
                entry = self._page(request, member)
            if entry:
                yield entry

    def _page(self, request: HttpRequest, page: Page) -> Entry | None:
        """A page as Django's templates expect a model; None if it is not to be seen."""
        if not request.user.has_perm(page.permission):
            return None
        try:
            url, *inside = (
                reverse(f"admin:{name}", current_app=self.name)
                for name in (page.url_name, page.inside)
                if name
            )
        except NoReverseMatch:
            return None
        return {
            "model": None,
            "name": page.name,
            "object_name": page.url_name,
            "perms": {"view": True},
            "admin_url": url,
            "inside": inside,
            "add_url": None,
            "view_only": True,
        }


def _left(entries: list[Entry], models: dict[str, Entry]) -> list[Entry]:
    """Those that no group has taken."""
    return [e for e in entries if e["model"]._meta.label_lower in models]


def _mark_current(groups: list[Entry], path: str) -> None:
    """Tell the entry that ``path`` lies inside of; of several a page, else the
    innermost."""
    entries = [entry for group in groups for entry in group["models"]]
    for entry in entries:
        entry["current"] = False
    inside = [entry for entry in entries if _is_inside(entry, path)]
    if inside:
        max(inside, key=_nearness)["current"] = True


def _nearness(entry: Entry) -> tuple[bool, int]:
    return entry["model"] is None, len(entry["admin_url"])


def _is_inside(entry: Entry, path: str) -> bool:
    url = entry["admin_url"]
    if entry["model"] is None:
        return path in (url, *entry["inside"])
    return bool(url) and path.startswith(url)
