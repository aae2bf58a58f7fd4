"""What django-axes may keep of an attempt, and what who is locked out is shown.

The lock is on a name from an address: its owner comes in from elsewhere, and nobody can
lock somebody out for ever. Reads the settings `AXES_*`; writes nothing.
"""

from __future__ import annotations

from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.contrib import admin
from django.db.models.signals import pre_save
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

STATUS = 429


def answer(
    request: HttpRequest, response: HttpResponse | None, credentials: dict | None
) -> HttpResponse:
    """The page. The same whether there is such a user or not."""
    if response is not None and response.status_code == STATUS:
        # The API has said so in its own words.
        return response
    seconds = wait(request)
    context = admin.site.each_context(request)
    context |= {"title": _("Locked out"), "minutes": seconds // 60}
    found = render(request, "access/lockout.html", context, status=STATUS)
    found["Retry-After"] = str(seconds)
    add_never_cache_headers(found)
    return found


def wait(request: HttpRequest) -> int:
    """Seconds from the last attempt that counted to the next one."""
    return int(get_cool_off(request).total_seconds())


def is_locked(request: HttpRequest) -> bool:
    """Whether django-axes has refused this attempt, or let it be the last one."""
    return bool(getattr(request, "axes_locked_out", False))


def connect() -> None:
    pre_save.connect(_forget, sender=AccessAttempt, dispatch_uid="access_forget")


def _forget(sender: Any, instance: AccessAttempt, **more: Any) -> None:
    """The lock needs name and address; what else was sent is nobody's business."""
    instance.get_data = instance.post_data = instance.http_accept = ""
