"""The page *Health*: whether all parts run, and whether every database is migrated.

For who may see the ledger. Reads; writes nothing.
"""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ..reporting.databases import all_migrations
from ..reporting.health import check_health

TEMPLATE = "admin/analytics/health.html"


@require_safe
def health_view(request: HttpRequest, admin_site: AdminSite) -> HttpResponse:
    context = {
        **admin_site.each_context(request),
        "title": _("Health"),
        "found": check_health(),
        "databases": all_migrations(),
    }
    request.current_app = admin_site.name
    return TemplateResponse(request, TEMPLATE, context)
