"""The registry of sites: which are counted here, and which ask to be.

Staff who may add sites register one that announces itself; all that it recorded so far
is counted then. Nothing here deletes, and the own site cannot be switched off.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from .. import sites
from ..conf import get_config
from ..models import Site
from ..stream import StreamError
from ..words import number
from .base import local

REDIS_TIMEOUT = 0.3
MAY_REGISTER = "analytics.add_site"


@admin.register(Site)
class SiteAdmin(admin.ModelAdmin):
    """The registered sites, and above them those that wait."""

    change_list_template = "admin/analytics/sites.html"
    actions = None
    list_display = ("name", "label", "active", "first_seen_local", "added_by")
    fields = ("name", "label", "active", "first_seen_local", "added_by")
    readonly_fields = ("name", "first_seen_local", "added_by")
    ordering = ("name",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css = {"all": ("analytics/admin.css", "analytics/filters.css")}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Not by its name: only one that announces itself can be registered."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: Site | None = None
    ) -> tuple[str, ...]:
        own = obj is not None and obj.name == get_config().site
        return (*self.readonly_fields, *(("active",) if own else ()))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.register_view)
        address = path("register/", view, name="analytics_site_register")
        return [address, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        waiting, unheard, problem = _waiting()
        context = {
            "title": _("Sites"),
            "waiting": waiting,
            "unheard": ", ".join(unheard),
            "waiting_problem": problem,
            "may_register": request.user.has_perm(MAY_REGISTER),
            "register_url": reverse(f"{self.admin_site.name}:analytics_site_register"),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    @method_decorator(require_POST)
    def register_view(self, request: HttpRequest) -> HttpResponse:
        """Count a site from now on; back to the list with what became of it."""
        if not request.user.has_perm(MAY_REGISTER):
            raise PermissionDenied
        try:
            site = sites.register(
                request.POST.get("name", ""), request.user.get_username()
            )
        except sites.SiteError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, site, "Registered: counted from now on.")
            text = gettext("“%s” is registered: what waits of it is counted now.")
            self.message_user(request, text % site.name, messages.SUCCESS)
        return redirect(f"{self.admin_site.name}:analytics_site_changelist")

    @admin.display(description=_("first seen"), ordering="first_seen")
    def first_seen_local(self, site: Site) -> str:
        return local(site.first_seen)


def _waiting() -> tuple[list[dict[str, Any]], list[str], str]:
    """The sites that wait, those that are not heard of, and why that is not known."""
    try:
        found = sites.waiting(REDIS_TIMEOUT)
        unheard = sites.unheard(REDIS_TIMEOUT)
    except StreamError as error:
        return [], [], str(error) or type(error).__name__
    shown = [
        {
            "name": site.name,
            "first_seen": local(site.first_seen),
            "seen": local(site.seen),
            "batches": number(site.batches),
            "elsewhere": site.elsewhere and not site.registered,
            "registered": site.registered,
        }
        for site in found
    ]
    return shown, unheard, ""
