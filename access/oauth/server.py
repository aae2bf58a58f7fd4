"""What this server can do, out of what oauthlib can: two flows, refresh, revocation.

Named in `OAUTH2_PROVIDER`. There is no implicit flow, none by password and none for
devices, whatever an application is registered for.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from oauthlib.common import Request
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    BearerToken,
    ClientCredentialsGrant,
    RefreshTokenGrant,
    RevocationEndpoint,
    TokenEndpoint,
)
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

ACCESS, REFRESH = "ado_", "adr_"
"""What tokens begin with: one finds them in source code and logs, and tells them from
others."""
TOKEN_BYTES = 32
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""What SHA-256 is in base64url."""


def make_access(request: Request) -> str:
    return ACCESS + secrets.token_urlsafe(TOKEN_BYTES)


def make_refresh(request: Request) -> str:
    return REFRESH + secrets.token_urlsafe(TOKEN_BYTES)


def demand_s256(request: Request) -> dict[str, Any]:
    """PKCE, and not the method that tells the verifier itself."""
    if request.code_challenge_method != "S256":
        raise InvalidRequestError(
            "code_challenge_method must be S256.", request=request
        )
    if not CHALLENGE.fullmatch(request.code_challenge or ""):
        raise InvalidRequestError("code_challenge is missing or bad.", request=request)
    return {}


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint):
    """The three endpoints that there are addresses for."""

    def __init__(
        self,
        request_validator: Any,
        token_expires_in: int,
        token_generator: Callable[[Request], str],
        refresh_token_generator: Callable[[Request], str],
        **other: Any,
    ) -> None:
        bearer = BearerToken(
            request_validator,
            token_generator,
            token_expires_in,
            refresh_token_generator,
        )
        code = AuthorizationCodeGrant(request_validator, pre_auth=[demand_s256])
        AuthorizationEndpoint.__init__(self, "code", bearer, {"code": code})
        flows = {
            "authorization_code": code,
            "client_credentials": ClientCredentialsGrant(request_validator),
            "refresh_token": RefreshTokenGrant(request_validator),
        }
        # The default answers what has no name here: that there is no such flow.
        TokenEndpoint.__init__(self, "authorization_code", bearer, flows)
        RevocationEndpoint.__init__(self, request_validator)
