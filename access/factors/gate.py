"""`FactorGate`: who has not given all that is asked for is nobody, wherever they go.

Behind django-otp's middleware, which knows whether the session gave a code. Everything
inside asks `request.user`, and sees AnonymousUser: the admin, the API, the consent to
applications, whatever is added. Looks when somebody asks who the user is, not before:
pages that do not ask stay without a query. Writes one mark into the session.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject
from django_otp import DEVICE_ID_SESSION_KEY

from ..users.outage import UsersUnavailable
from .demand import Demand, demand

ADMITTED = "access_admitted"
"""In a session that has given all that was asked for when this was looked at last."""
PAGES = {Demand.CODE: "factor_code", Demand.SETUP: "factor"}
"""Where the way goes on."""
ALWAYS_OPEN = ("admin:logout",)
OPEN_BEFORE_SETUP = (
    *ALWAYS_OPEN,
    "admin:password_change",
    "admin:password_change_done",
)


class Waiting(NamedTuple):
    """Somebody whose password was right, and what else is asked for."""

    user: Any
    demand: Demand


class FactorGate(MiddlewareMixin):
    """Behind `OTPMiddleware`."""

    def process_request(self, request: HttpRequest) -> None:
        known = request.user
        request.user = SimpleLazyObject(lambda: admitted(request, known))

        async def auser() -> Any:
            return await sync_to_async(admitted)(request, known)

        request.auser = auser


def admitted(request: HttpRequest, user: Any) -> Any:
    """The user of the session, AnonymousUser while something is asked for."""
    try:
        asked = _asked(user)
    except UsersUnavailable:
        return _as_last_known(request)
    if asked is Demand.NONE:
        if user.is_authenticated and not request.session.get(ADMITTED):
            request.session[ADMITTED] = True
        return user
    request.session.pop(ADMITTED, None)
    request.factor_waiting = Waiting(user, asked)
    return user if _is_open(request.path, asked) else AnonymousUser()


def _as_last_known(request: HttpRequest) -> Any:
    """While accounts cannot be reached, who was in stays in: with a code, if one was
    owed when this was known last. Raises where that is not known."""
    user = get_user(request)
    if not user.is_authenticated:
        return user
    gave = DEVICE_ID_SESSION_KEY in request.session
    if not request.session.get(ADMITTED) or (_owed(user) and not gave):
        raise UsersUnavailable("whether a second factor is owed is not known")
    return user


def _owed(user: Any) -> bool:
    """As last known; who is no copy was read a moment ago, and no more is known."""
    return getattr(user, "owes_factor", True)


def _asked(user: Any) -> Demand:
    if not user.is_authenticated or user.is_verified():
        return Demand.NONE
    return demand(user)


def _is_open(path: str, asked: Demand) -> bool:
    names = OPEN_BEFORE_SETUP if asked is Demand.SETUP else ALWAYS_OPEN
    return path in map(reverse, names)


def waiting(request: HttpRequest) -> Waiting | None:
    """Who stands before the gate; None for who is in, and for nobody."""
    str(request.user)
    return getattr(request, "factor_waiting", None)


def onward(request: HttpRequest) -> HttpResponse | None:
    """To the page of what is asked for next; None if nothing is."""
    found = waiting(request)
    if found is None:
        return None
    query = ""
    if target := request.GET.get(REDIRECT_FIELD_NAME):
        query = "?" + urlencode({REDIRECT_FIELD_NAME: target})
    return redirect(reverse(PAGES[found.demand]) + query)
