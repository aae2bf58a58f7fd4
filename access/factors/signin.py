"""From a right password to a session, or a web token, that is good.

A password alone signs in who has no second factor to give. Reads users and devices;
writes the session, the failures that django-axes counts, and the audit list.
"""

from __future__ import annotations

from typing import Any

import django_otp
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate, get_user_model, signals
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import audit, lockout
from ..models import SignIn
from . import keeping
from .checking import Answer, Outcome, check
from .demand import Demand, demand
from .gate import ADMITTED
from .models import Authenticator

Kind = SignIn.Kind


def connect() -> None:
    """In the place of django-axes, which forgets failures for a password alone, and
    with whose tables out of reach nobody could sign out."""
    from axes.signals import handle_user_logged_in, handle_user_logged_out

    signals.user_logged_in.disconnect(handle_user_logged_in)
    signals.user_logged_out.disconnect(handle_user_logged_out)
    signals.user_logged_in.connect(_password_given, dispatch_uid="access_in")


def _password_given(sender: Any, request: HttpRequest, user: Any, **more: Any) -> None:
    if demand(user) is Demand.NONE:
        admit(request, user)


def admit(request: HttpRequest, user: Any) -> None:
    """All that was asked for was given."""
    forgive(request, user)
    request.session[ADMITTED] = True
    audit.record(Kind.LOGIN, request, user)


def forgive(request: HttpRequest, user: Any) -> None:
    """Failures from here count no more."""
    users = get_user_model()
    AxesProxyHandler.user_logged_in(sender=users, request=request, user=user)


def verify_session(request: HttpRequest, user: Any, is_new: bool) -> None:
    """The session has given a code; its key is another one from now on."""
    request.user = user
    request.session.cycle_key()
    rotate_token(request)
    device: Authenticator | None = keeping.of(user)
    django_otp.login(request, device)
    if is_new:
        admit(request, user)


def try_code(request: HttpRequest, user: Any, text: str, door: str = "") -> Answer:
    """Look at a code, as the password was looked at: counted, locked, written down."""
    name = {"username": user.get_username()}
    if not AxesProxyHandler.is_allowed(request, name):
        request.axes_locked_out = True
        found = Answer(Outcome.WAIT, seconds=lockout.wait(request))
    else:
        found = check(user, text)
    if found.outcome is Outcome.RECOVERY:
        left = f"{keeping.left(user)} left"
        audit.record(Kind.RECOVERY_USED, request, user, door=door, detail=left)
    elif found.outcome is Outcome.WRONG:
        audit.record(Kind.FACTOR_REFUSED, request, user, door=door)
    elif found.outcome is Outcome.WAIT:
        more = {"door": door, "detail": "too soon after others"}
        audit.record_seldom(Kind.FACTOR_REFUSED, request, user, **more)
    if found.outcome is Outcome.WRONG or lockout.is_locked(request):
        users = get_user_model()
        AxesProxyHandler.user_login_failed(users, name, request)
    return found


def proves(request: HttpRequest, user: Any, password: str, code: str = "") -> str:
    """Whether it is the user who sits there; what to say if not."""
    if code:
        found = try_code(request, user, code)
        return "" if found.is_right else words_for(found)
    name = user.get_username()
    found = authenticate(request, username=name, password=password)
    return "" if found is not None and found.pk == user.pk else _("Wrong password.")


def words_for(answer: Answer) -> str:
    """Why a code was refused."""
    if answer.outcome is Outcome.WAIT:
        return ngettext(
            "Too many wrong codes. Try again in %d second.",
            "Too many wrong codes. Try again in %d seconds.",
            answer.seconds,
        ) % answer.seconds  # fmt: skip
    return _(
        "This code is not right. Each one works only once: wait for the next. If that "
        "is refused as well, check the clock of your phone."
    )
