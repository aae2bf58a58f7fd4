"""Sessions end: after a time without use, and some hours after the sign-in.

`SessionTimes` reads and writes two times in the session. A session is looked at only
when somebody asks who the user is: pages that do not, stay without a query. What a page
fetches by itself, to show fresh numbers, does not count as use.
`SealedSerializer` is for sessions in a cache: JSON, signed; never pickle.
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, signals
from django.contrib.auth.middleware import get_user
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject

from . import audit
from .models import SignIn

BEGUN, SEEN = "access_begun", "access_seen"
FRESH = 300
"""Seconds after the sign-in in which the password is not asked for a second time."""
SEEN_EVERY = 60
"""Seconds: use is not written into the session more often."""


def now() -> int:
    return int(time.time())


def is_over(session: SessionBase, at: int) -> bool:
    """Whether a signed-in session has lasted too long, or was not used for too long."""
    begun, seen = session.get(BEGUN, at), session.get(SEEN, at)
    return (
        at - begun >= settings.SESSION_ABSOLUTE_SECONDS
        or at - seen >= settings.SESSION_IDLE_SECONDS
    )


def is_fresh(session: SessionBase, at: int) -> bool:
    """Whether who sits there gave the password a moment ago."""
    return 0 <= at - session.get(BEGUN, 0) < FRESH


def note_use(session: SessionBase, at: int) -> None:
    # One from before this was installed begins now.
    session.setdefault(BEGUN, at)
    if at - session.get(SEEN, 0) >= SEEN_EVERY:
        session[SEEN] = at


def is_fetched(request: HttpRequest) -> bool:
    """Whether a script of a page asked, and perhaps nobody is there."""
    return request.headers.get("Sec-Fetch-Dest") == "empty"


class SessionTimes(MiddlewareMixin):
    """Behind `AuthenticationMiddleware`: nobody is signed in whose session is over."""

    def process_request(self, request: HttpRequest) -> None:
        request.user = SimpleLazyObject(lambda: timely_user(request))

        async def auser() -> Any:
            from asgiref.sync import sync_to_async

            return await sync_to_async(timely_user)(request)

        request.auser = auser


def timely_user(request: HttpRequest) -> Any:
    """The user of the session, AnonymousUser if it is over."""
    session = request.session
    if SESSION_KEY in session:
        at = now()
        if is_over(session, at):
            audit.record(SignIn.Kind.TIMEOUT, request, get_user(request))
            session.flush()
            request.__dict__.pop("_cached_user", None)
        elif not is_fetched(request):
            note_use(session, at)
    return get_user(request)


def _begin(sender: Any, request: HttpRequest, **more: Any) -> None:
    request.session[BEGUN] = request.session[SEEN] = now()


def connect() -> None:
    signals.user_logged_in.connect(_begin, dispatch_uid="access_session")


class SealedSerializer:
    """What Django's Redis cache writes and reads; what was forged is nothing."""

    salt = "access.sessions"

    def dumps(self, value: Any) -> bytes:
        return signing.dumps(value, salt=self.salt).encode()

    def loads(self, data: bytes) -> Any:
        try:
            return signing.loads(data.decode(), salt=self.salt)
        except (signing.BadSignature, ValueError):
            return None
