"""What people see while the database of accounts is down and they need it: a 503.

Reads the exception alone: the page asks nobody, or it would fail as well. Programs get
problem details (the API's own views say so themselves).
"""

from __future__ import annotations

import logging
import sys
from http import HTTPStatus

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _
from django.views import defaults

from .outage import RETRY_AFTER, UsersUnavailable

logger = logging.getLogger("access")
STATUS = HTTPStatus.SERVICE_UNAVAILABLE


class UsersDown(MiddlewareMixin):
    """For what a view raises."""

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        if not isinstance(exception, UsersUnavailable):
            return None
        logger.warning("Accounts cannot be reached for %s: %s", request.path, exception)
        return answer(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """The URLconf's ``handler500``, for what another middleware raises."""
    if isinstance(sys.exc_info()[1], UsersUnavailable):
        return answer(request)
    return defaults.server_error(request)


def answer(request: HttpRequest) -> HttpResponse:
    context = {
        "title": _("Accounts cannot be reached"),
        "site_header": admin.site.site_header,
        "site_title": admin.site.site_title,
    }
    page = render_to_string("access/users_down.html", context)
    found = HttpResponse(page, status=STATUS)
    found["Retry-After"] = str(RETRY_AFTER)
    add_never_cache_headers(found)
    return found
