"""Access tokens of applications as credentials in ``Authorization: Bearer``.

Refused like every other credential, whatever is wrong. Reads tokens, applications and
users; writes into the audit list when one is used that would be good, if its user were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oauth2_provider.models import AccessToken
from rest_framework.request import Request

from .. import audit, scopes
from ..authentication import BearerAuthentication, Refused, bearer
from ..models import SignIn
from .server import ACCESS
from .validator import DOOR, digest


@dataclass(frozen=True)
class Credential:
    """What ``request.auth`` is: a token, and its scopes that are still allowed."""

    token: AccessToken
    scopes: frozenset[str]

    @property
    def pk(self) -> int:
        return self.token.pk


class OAuthAuthentication(BearerAuthentication):
    """``request.user`` is who granted it, or whom the application acts as."""

    def authenticate(self, request: Request) -> tuple[Any, Credential] | None:
        text = bearer(request)
        if text is None or not text.startswith(ACCESS):
            return None
        rows = AccessToken.objects.select_related("application", "user")
        token = rows.filter(token_checksum=digest(text)).first()
        if token is None or token.is_expired() or token.application is None:
            raise Refused
        if not _has_user(token):
            what = str(token.application)
            kind = SignIn.Kind.OAUTH_REFUSED
            audit.record_seldom(kind, request, token.user, door=DOOR, detail=what)
            raise Refused
        allowed = scopes.split(token.scope) & token.application.scopes
        return token.user, Credential(token, allowed)


def _has_user(token: AccessToken) -> bool:
    """One who may come in; of an application by itself the one it has now."""
    if token.user is None or not token.user.is_active:
        return False
    application = token.application
    return not application.acts_alone or application.user_id == token.user_id
