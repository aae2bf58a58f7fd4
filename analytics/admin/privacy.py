"""The page *What is held about a visitor*, for everybody who may see numbers.

Reads what is in force; writes nothing.
"""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ..reporting.pages import PERMISSION
from ..reporting.privacy import statement

TEMPLATE = "admin/analytics/privacy.html"


@require_safe
def privacy_view(request: HttpRequest, admin_site: AdminSite) -> HttpResponse:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    context = {
        **admin_site.each_context(request),
        "title": _("What is held about a visitor"),
        "found": statement(),
        "retention_url": _retention(request, admin_site),
    }
    request.current_app = admin_site.name
    return TemplateResponse(request, TEMPLATE, context)


def _retention(request: HttpRequest, admin_site: AdminSite) -> str:
    """Where that page is, for who may open it."""
    if not request.user.has_perm("analytics.view_retention"):
        return ""
    return reverse(f"{admin_site.name}:analytics_retention_changelist")
