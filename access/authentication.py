"""The two kinds of credentials in ``Authorization: Bearer``: our tokens, and JWTs.

Whatever is wrong with one, the answer is the same: who has no right to come in is not
told what there is. Reads users and tokens; writes the last use of a token, and into the
audit list when one is used that was good once.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from . import audit, jwt, tokens
from .models import ApiToken, SignIn

SCHEME = "Bearer"
CHALLENGE = f'{SCHEME} realm="api"'
NOBODY = tokens.digest("a token that nobody has")
"""Compared with where there is no row, so that this takes as long."""


class Refused(AuthenticationFailed):
    """The one answer to every credential that is not good."""

    default_detail = _("The credential is not good, or no longer.")


def bearer(request: Request) -> str | None:
    """The credential of the request, if it has one of this scheme."""
    words = get_authorization_header(request).decode("latin-1").split()
    if not words or words[0].lower() != SCHEME.lower():
        return None
    if len(words) != 2:
        raise Refused
    return words[1]


class BearerAuthentication(BaseAuthentication):
    """What both have in common."""

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class TokenAuthentication(BearerAuthentication):
    """Tokens made in the admin. ``request.auth`` is the `ApiToken`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        text = bearer(request)
        if text is None or not tokens.is_token(text):
            return None
        token = _known(text)
        if token is None:
            raise Refused
        now = timezone.now()
        if not token.opens(now):
            audit.record_seldom(
                SignIn.Kind.TOKEN_REFUSED,
                request,
                token.user,
                door="token",
                detail=str(token),
            )
            raise Refused
        token.note_use(now)
        return token.user, token


def _known(text: str) -> ApiToken | None:
    """The token that this is the text of, good or not."""
    parts = tokens.parse(text)
    if parts is None:
        return None
    rows = ApiToken.objects.select_related("user")
    token = rows.filter(prefix=parts.prefix).first()
    known = tokens.fits(parts.secret, token.digest if token else NOBODY)
    return token if token and known else None


class JwtAuthentication(BearerAuthentication):
    """Access tokens of `access.jwt`. ``request.auth`` is the `AccessToken`."""

    def authenticate(self, request: Request) -> tuple[Any, jwt.AccessToken] | None:
        text = bearer(request)
        if text is None or tokens.is_token(text):
            return None
        try:
            return jwt.read_access(text)
        except jwt.BadJwt as error:
            raise Refused from error
