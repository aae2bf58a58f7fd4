"""The doors: JSON web tokens for a password or for a refresh token; password reset.

Thin: asks `access.jwt` and Django's own views. Writes the audit list.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import authenticate
from django.contrib.auth import views as auth
from django.contrib.auth.forms import PasswordResetForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from api import throttles
from api.formats import JsonParser
from api.views import refuse_body

from . import audit, jwt, lockout, scopes
from .authentication import CHALLENGE, Refused
from .factors import signin
from .factors.checking import Outcome
from .factors.demand import Demand, demand
from .factors.forms import LENGTH_LIMIT
from .models import SignIn

Kind = SignIn.Kind
RESETS = 5
"""Mails that can be asked for from one network in `audit.SELDOM`."""


class SignInThrottle(BaseThrottle):
    """By address, whoever asks: nobody is signed in yet."""

    seconds: int | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        self.seconds = throttles.wait_for("sign-in", throttles.address(request))
        return self.seconds is None

    def wait(self) -> int | None:
        return self.seconds


class OtpRequired(AuthenticationFailed):
    """Told apart from a wrong password: a program has to ask its user for a code."""

    default_code = "otp_required"
    default_detail = _(
        "A code of the second factor is needed; one is set up in the admin."
    )


class OtpRefused(AuthenticationFailed):
    """Wrong, of somebody else, or used before."""

    default_code = "otp_refused"
    default_detail = _("The code of the second factor is not good.")


class ObtainSerializer(serializers.Serializer):
    """Name, password, a code of the second factor from who has one, and the scopes
    that are wanted: without any, all of use."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False)
    scope = serializers.MultipleChoiceField(
        choices=list(scopes.SCOPES.items()), required=False
    )
    otp = serializers.CharField(
        max_length=LENGTH_LIMIT,
        required=False,
        help_text=_("From who has a second factor."),
    )


class RefreshSerializer(serializers.Serializer):
    refresh = serializers.CharField(max_length=4096)


class PairSerializer(serializers.Serializer):
    """What both addresses answer."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    scope = serializers.CharField()
    expires_in = serializers.IntegerField()


class JwtView(APIView):
    """Open to everybody; what is sent is the credential. No cookie counts here."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (SignInThrottle,)
    parser_classes = (JsonParser,)
    renderer_classes = (JSONRenderer,)
    serializer_class: type[serializers.Serializer]

    def get_authenticate_header(self, request: Request) -> str:
        return CHALLENGE

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        refuse_body(request)
        super().initial(request, *args, **kwargs)

    @method_decorator(never_cache)
    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().dispatch(*args, **kwargs)

    @extend_schema(responses=PairSerializer)
    def post(self, request: Request) -> Response:
        asked = self.serializer_class(data=request.data)
        asked.is_valid(raise_exception=True)
        pair = self.pair(request, **asked.validated_data)
        return Response(
            {
                "access": str(pair.access_token),
                "refresh": str(pair),
                "scope": pair[jwt.SCOPE],
                "expires_in": int(jwt.AccessToken.lifetime.total_seconds()),
            }
        )

    def pair(self, request: Request, **asked: Any) -> jwt.RefreshToken:
        raise NotImplementedError


class ObtainJwt(JwtView):
    """Access and refresh token for a name and a password."""

    serializer_class = ObtainSerializer

    def pair(
        self,
        request: Request,
        username: str,
        password: str,
        scope: Any = (),
        otp: str = "",
    ) -> jwt.RefreshToken:
        # Django's own request, on which axes leaves word for its middleware.
        plain = request._request
        user = authenticate(plain, username=username, password=password)
        if lockout.is_locked(plain):
            raise Throttled(lockout.wait(plain))
        if user is None:
            raise Refused
        useful = scopes.useful_to(user)
        if not set(scope) <= set(useful):
            detail = "scope: " + scopes.join(set(scope) - set(useful))
            audit.record(Kind.JWT_REFUSED, request, user, door="jwt", detail=detail)
            raise Refused
        factor = self.has_factor(plain, user, otp)
        signin.forgive(plain, user)
        token = jwt.RefreshToken.issue(user, scope or useful, factor)
        detail = token[jwt.SCOPE]
        audit.record(Kind.JWT_ISSUED, request, user, door="jwt", detail=detail)
        return token

    def has_factor(self, request: HttpRequest, user: Any, code: str) -> bool:
        """Whether a code was given; raises where one is owed and was not."""
        asked = demand(user)
        if asked is Demand.NONE:
            return False
        if asked is Demand.SETUP or not code:
            more = {"door": "jwt", "detail": "no second factor"}
            audit.record_seldom(Kind.JWT_REFUSED, request, user, **more)
            raise OtpRequired
        found = signin.try_code(request, user, code, door="jwt")
        if found.outcome is Outcome.WAIT or lockout.is_locked(request):
            raise Throttled(found.seconds or lockout.wait(request))
        if not found.is_right:
            raise OtpRefused
        return True


class RefreshJwt(JwtView):
    """Both anew for a refresh token, which is used up."""

    serializer_class = RefreshSerializer

    def pair(self, request: Request, refresh: str) -> jwt.RefreshToken:
        try:
            user, token = jwt.rotate(refresh)
        except jwt.BadJwt as error:
            more = {"door": "jwt", "detail": str(error)}
            audit.record_seldom(Kind.JWT_REFUSED, request, error.user, **more)
            raise Refused from error
        audit.record(Kind.JWT_REFRESHED, request, user, door="jwt")
        return token


class InAdmin:
    """Django's views of the password reset, in the frame of the admin."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        frame = admin.site.each_context(self.request)
        return frame | super().get_context_data(**kwargs)


class AskReset(InAdmin, auth.PasswordResetView):
    """Sends a mail, if there is such a user; says the same if not."""

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        line = audit.line(Kind.RESET_ASKED, self.request)
        since = timezone.now() - audit.SELDOM
        if SignIn.objects.like(line).since(since).count() >= RESETS:
            return super(auth.PasswordResetView, self).form_valid(form)
        line.save()
        return super().form_valid(form)


class ResetAsked(InAdmin, auth.PasswordResetDoneView):
    """It was sent, if there is such a user."""


class Reset(InAdmin, auth.PasswordResetConfirmView):
    """The new password."""

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        audit.record(Kind.PASSWORD_CHANGED, self.request, self.user, door="reset")
        return answer


class ResetDone(InAdmin, auth.PasswordResetCompleteView):
    """It is changed."""
