"""The audit list: a line for every sign-in, failure, token and refusal.

Reads requests and the signals of Django and of django-axes; writes `SignIn`. Never
writes a password, a secret, a whole address or a name that no user has: who mistakes
the fields of a form types a password there.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model, signals
from django.http import HttpRequest
from django.utils import timezone

from analytics.recording.event import clean

from . import client
from .lockout import is_locked
from .models import SignIn
from .users.outage import UsersUnavailable

logger = logging.getLogger("access")
SELDOM = timedelta(minutes=15)
"""What comes again and again is written once in so long."""
DOORS = (("/api/", "api"), ("/admin/", "admin"))


def record(
    kind: SignIn.Kind,
    request: Any,
    user: Any = None,
    *,
    door: str = "",
    detail: str = "",
) -> None:
    """Write a line. ``request`` may be Django's or the API's, or None."""
    _save(line(kind, request, user, door=door, detail=detail))


def record_seldom(
    kind: SignIn.Kind, request: Any, user: Any = None, **more: str
) -> None:
    """Write a line, unless the same was written a short time ago."""
    found = line(kind, request, user, **more)
    _save(found, unless_since=found.when - SELDOM)


def _save(line: SignIn, unless_since: datetime | None = None) -> None:
    """A page does not break over a line, which the log has then."""
    try:
        said = unless_since and SignIn.objects.like(line).since(unless_since).exists()
        if not said:
            line.save()
    except UsersUnavailable:
        who = line.user_id or "nobody"
        logger.warning("Not in the list of sign-ins: %s, user %s", line.kind, who)


def line(
    kind: SignIn.Kind, request: Any, user: Any = None, door: str = "", detail: str = ""
) -> SignIn:
    """What would be written, unsaved."""
    known = user if user is not None and user.pk else None
    found = SignIn(kind=kind, user=known, when=timezone.now(), door=door)
    found.detail = clean(detail, 150)
    found.name = clean(known.get_username(), 150) if known else ""
    if request is not None:
        found.door = door or door_of(request)
        found.network, found.agent = client.network(request), client.agent(request)
    return found


def door_of(request: Any) -> str:
    path = getattr(request, "path", "") or ""
    return next((door for prefix, door in DOORS if path.startswith(prefix)), "site")


def user_named(name: object) -> Any:
    """The user of that name; asked for whether or not there is one."""
    users = get_user_model()
    return users.objects.filter(**{users.USERNAME_FIELD: str(name or "")}).first()


def connect() -> None:
    """Before django-axes, so that the failure that locks is written before the lock."""
    signals.user_logged_out.connect(_logged_out, dispatch_uid="access_out")
    signals.user_login_failed.connect(_failed, dispatch_uid="access_failed")
    # To import it is to connect its own.
    from axes.signals import user_locked_out

    user_locked_out.connect(_locked_out, dispatch_uid="access_locked")


def _logged_out(sender: Any, request: HttpRequest, user: Any, **more: Any) -> None:
    if user is not None:
        record(SignIn.Kind.LOGOUT, request, user)


def _failed(
    sender: Any, credentials: dict, request: HttpRequest | None = None, **more: Any
) -> None:
    # Refused without a look at the password: the lock-out is written by its own signal.
    if request is not None and not is_locked(request):
        record(SignIn.Kind.FAILURE, request, user_named(credentials.get("username")))


def _locked_out(sender: Any, request: HttpRequest, username: Any, **more: Any) -> None:
    record_seldom(SignIn.Kind.LOCKOUT, request, user_named(username))
