"""The download of what Explore shows: all keys that are found, not only its page.

A POST with a CSRF token although it changes nothing that is counted: it writes down
who took what, and no other site's link may do that in somebody's name.
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_POST

from ..models import Rollup
from ..reporting import key_exports, workbooks
from ..reporting.explore import Search
from ..reporting.pages import EXPORT_PERMISSION, PERMISSION
from ..reporting.question import BadQuestion
from .exporting import CSV, JSON, XLSX, begun, download, log_export, too_many

CHUNKS = {
    "csv": (CSV, key_exports.csv_chunks),
    "xlsx": (XLSX, key_exports.xlsx_chunks),
    "json": (JSON, key_exports.json_chunks),
}


@require_POST
def export(request: HttpRequest, admin_site: AdminSite) -> HttpResponseBase:
    if not request.user.has_perms((PERMISSION, EXPORT_PERMISSION)):
        raise PermissionDenied
    chosen = request.POST.get("format", "")
    if chosen not in key_exports.available():
        raise BadRequest("There is no such format.")
    try:
        search = Search.parse(request.GET.dict())
    except BadQuestion as error:
        raise BadRequest(str(error)) from error
    content_type, chunks = CHUNKS[chosen]
    try:
        # What fails before anything is sent is an error page, not half a file.
        made = begun(chunks(search))
    except workbooks.TooManyRows as error:
        messages.error(request, too_many(error, chosen))
        page = reverse(f"{admin_site.name}:analytics_explore")
        return HttpResponseRedirect(page + search.query())
    taken = f"{chosen.upper()}: {search.query()[1:]}"
    log_export(request, Rollup, f"Explore: {search.dimension.label}", taken)
    name = key_exports.file_name(search, chosen)
    return download(request, content_type, made, name)
