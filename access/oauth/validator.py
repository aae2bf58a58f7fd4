"""Every question that oauthlib asks before it hands out a token.

Named in `OAUTH2_PROVIDER`. Adds to Django OAuth Toolkit's answers: of a code only a
digest is kept; a code or refresh token that comes twice ends all that came of it;
nobody gets anything for a user who may not sign in. Reads and writes the tables of
grants and tokens; writes the audit list, and no secret into it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpRequest
from oauth2_provider.models import AccessToken, RefreshToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors

from .. import audit, scopes
from ..factors.demand import outlived
from ..models import SignIn
from . import grants
from .bounds import usable
from .models import Grant

DOOR = "oauth"


def digest(text: str) -> str:
    """Enough for what is random: nobody can try them all."""
    return hashlib.sha256(text.encode()).hexdigest()


class Validator(OAuth2Validator):
    """One of it serves all requests: what it knows is in the request."""

    # ── Codes ────────────────────────────────────────────────────────────────
    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Request, *args: Any
    ) -> None:
        kept = {**code, "code": digest(code["code"])}
        super().save_authorization_code(client_id, kept, request)

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Request, *args: Any
    ) -> bool:
        rows = Grant.objects.select_related("application", "user")
        grant = rows.filter(code=digest(code), application=client).first()
        if grant is None or not grant.user.is_active:
            return False
        if outlived(grant.user, grant.created):
            self.refused(request, grant.user, "no second factor")
            return False
        if grant.token_family:
            self.end(request, grant, "code used twice")
            return False
        if not super().validate_code(client_id, grant.code, client, request):
            return False
        request.scopes = usable(client, request.scopes, grant.user)
        return bool(request.scopes)

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, *args: Any
    ) -> bool:
        kept = digest(code)
        return super().confirm_redirect_uri(client_id, kept, redirect_uri, client)

    def get_code_challenge(self, code: str, request: Request) -> str | None:
        return super().get_code_challenge(digest(code), request)

    def get_code_challenge_method(self, code: str, request: Request) -> str | None:
        return super().get_code_challenge_method(digest(code), request)

    def invalidate_authorization_code(self, *args: Any, **kwargs: Any) -> None:
        """Done in the transaction that made the tokens, by `_create_refresh_token`."""

    # ── Who asks, and for what ───────────────────────────────────────────────
    def authenticate_client(self, request: Request, *args: Any, **kwargs: Any) -> bool:
        good = super().authenticate_client(request)
        if not good and request.client is not None:
            self.refused(request, None, f"{request.client}: wrong secret")
        return good

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Request, *args: Any
    ) -> bool:
        if not super().validate_grant_type(client_id, grant_type, client, request):
            return False
        if client.acts_alone and grants.owner(client) is None:
            self.refused(request, client.user, f"{client}: no active user")
            return False
        return True

    def validate_scopes(
        self,
        client_id: str,
        scopes: list[str],
        client: Any,
        request: Request,
        *args: Any,
    ) -> bool:
        """A token for nothing is none."""
        return bool(scopes) and super().validate_scopes(
            client_id, scopes, client, request
        )

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Request, *args: Any
    ) -> bool:
        kept = RefreshToken.objects.filter(
            token_checksum=digest(refresh_token), application=client
        ).first()
        if kept is None:
            return False
        grant = grants.of_family(kept.token_family)
        if grant is None or not grant.user.is_active:
            return False
        if outlived(grant.user, grant.created):
            self.refused(request, grant.user, "no second factor")
            return False
        if kept.revoked:
            self.end(request, grant, "refresh token used twice")
            return False
        return super().validate_refresh_token(refresh_token, client, request)

    def get_original_scopes(
        self, refresh_token: str, request: Request, *args: Any
    ) -> list[str]:
        """Never more than before, and no longer what is not allowed any more."""
        had = scopes.split(super().get_original_scopes(refresh_token, request))
        found = usable(request.client, had, request.user)
        if not found:
            raise errors.InvalidScopeError(request=request)
        return found

    # ── Tokens ───────────────────────────────────────────────────────────────
    def save_bearer_token(
        self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        try:
            super().save_bearer_token(token, request, *args, **kwargs)
        except errors.InvalidGrantError:
            # Two at once, which the questions before could not tell.
            if grant := self.grant_of(request):
                self.end(request, grant, "used twice at once")
            raise

    def _save_bearer_token(
        self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        if request.grant_type == "refresh_token":
            rows = RefreshToken.objects.select_for_update()
            used = request.refresh_token_instance
            if rows.filter(pk=used.pk, revoked=None).first() is None:
                raise errors.InvalidGrantError(request=request)
        super()._save_bearer_token(token, request, *args, **kwargs)

    def _check_and_set_request_resource(self, request: Request) -> None:
        """There is one resource, so nothing to choose from (RFC 8707)."""
        request.resource = []

    def _create_access_token(
        self, expires: Any, request: Request, token: dict[str, Any], **more: Any
    ) -> AccessToken:
        if request.grant_type == "client_credentials":
            request.user = request.client.user
        return super()._create_access_token(expires, request, token, **more)

    def _create_refresh_token(
        self, request: Request, text: str, access_token: AccessToken, previous: Any
    ) -> RefreshToken:
        made = super()._create_refresh_token(request, text, access_token, previous)
        if previous:
            grants.note_use(made.token_family)
        elif not grants.begin(digest(request.code), request.client, made.token_family):
            raise errors.InvalidGrantError(request=request)
        return made

    def revoke_token(
        self, token: str, token_type_hint: str, request: Request, *args: Any
    ) -> None:
        """Of whichever of its tokens: the application gives the whole access back."""
        kept, own = digest(token), {"application": request.client}
        rows = RefreshToken.objects.filter(**own)
        found = (
            rows.filter(token_checksum=kept).first()
            or rows.filter(access_token__token_checksum=kept).first()
        )
        super().revoke_token(token, token_type_hint, request)
        if found and (grant := grants.of_family(found.token_family)):
            grants.take_away(grant)
            self.record(SignIn.Kind.GRANT_REVOKED, request, grant.user, str(grant))

    # ── What is written down ─────────────────────────────────────────────────
    def grant_of(self, request: Request) -> Grant | None:
        """The one that the code or refresh token of the request came of."""
        if request.grant_type == "refresh_token":
            return grants.of_family(request.refresh_token_instance.token_family)
        live = Grant.objects.live().select_related("application", "user")
        return live.filter(code=digest(request.code)).first()

    def end(self, request: Request, grant: Grant, why: str) -> None:
        """One of the two who sent the same has stolen it."""
        grants.take_away(grant)
        self.refused(request, grant.user, f"{grant.application}: {why}")

    def refused(self, request: Request, user: Any, detail: str) -> None:
        plain, kind = plain_request(request), SignIn.Kind.OAUTH_REFUSED
        audit.record_seldom(kind, plain, user, door=DOOR, detail=detail)

    def record(
        self, kind: SignIn.Kind, request: Request, user: Any, detail: str
    ) -> None:
        audit.record(kind, plain_request(request), user, door=DOOR, detail=detail)


def plain_request(request: Request) -> HttpRequest:
    """Where it came from, as the audit list reads it."""
    found = HttpRequest()
    found.path, found.META = request.uri, dict(request.headers)
    return found
