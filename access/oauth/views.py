"""The doors of OAuth: the page of consent, tokens, and giving them back.

Thin: oauthlib asks `Validator`. Who consents is signed in to the admin, which sends
everybody else to its login first. Writes the audit list.
"""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.http import OAuth2ResponseRedirect
from oauth2_provider.models import AccessToken
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749.errors import InvalidRequestFatalError

from api import throttles

from .. import audit, scopes
from ..models import SignIn
from . import redirects
from .bounds import usable
from .models import Application
from .validator import DOOR, digest

Kind = SignIn.Kind


class Authorize(OAuthLibMixin, View):
    """Asks the user; its answer is in the form, all else in the address."""

    http_method_names = ("get", "post")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            wanted, asked = self.validate_authorization_request(request)
            self.asked = asked
            self.application = Application.objects.get(client_id=asked["client_id"])
            self.offered = usable(self.application, wanted, request.user)
            self.missing = [scope for scope in wanted if scope not in self.offered]
            return super().dispatch(request, *args, **kwargs)
        except FatalClientError as error:
            return self.explain(error.oauthlib_error.description)
        except OAuthToolkitError as error:
            why = error.oauthlib_error
            return self.send_back(why.in_uri(why.redirect_uri), True)
        except ValueError:
            # Of oauthlib: the query is no text.
            return self.explain(InvalidRequestFatalError().description)

    def get(self, request: HttpRequest) -> HttpResponse:
        context = frame(request) | {
            "title": _("Grant access?"),
            "application": self.application,
            "offered": [scopes.SCOPES[scope] for scope in self.offered],
            "missing": [scopes.SCOPES[scope] for scope in self.missing],
            "destination": redirects.origin(self.asked["redirect_uri"]),
        }
        page = render(request, "access/oauth/authorize.html", context)
        # Browsers hold the redirect that answers a form to the policy of its page.
        page._csp_update = {"form-action": [context["destination"]]}
        return page

    def post(self, request: HttpRequest) -> HttpResponse:
        allow = bool(request.POST.get("allow") and self.offered)
        what = f"{self.application}: {scopes.join(self.offered)}"
        kind = Kind.GRANT_MADE if allow else Kind.GRANT_DENIED
        names = ("client_id", "redirect_uri", "response_type", "state")
        names += ("code_challenge", "code_challenge_method")
        asked = {name: self.asked[name] for name in names} | {"response_mode": "query"}
        audit.record(kind, request, request.user, door=DOOR, detail=what)
        uri, *_rest = self.create_authorization_response(
            request, " ".join(self.offered), asked, allow
        )
        return self.send_back(uri)

    def send_back(self, uri: str, refused: bool = False) -> HttpResponse:
        if refused:
            # The toolkit says it of codes alone (RFC 9207).
            issuer = oauth2_settings.oauth2_authorization_server_issuer(self.request)
            uri = add_params_to_uri(uri, [("iss", issuer)])
        return OAuth2ResponseRedirect(uri, Application().get_allowed_schemes())

    def explain(self, why: str) -> HttpResponse:
        """Here, since nobody knows whether the address to send back to is good."""
        title = _("This application cannot be granted access")
        context = frame(self.request) | {"title": title, "why": why}
        return render(self.request, "access/oauth/refused.html", context, status=400)


def frame(request: HttpRequest) -> dict[str, Any]:
    """That of the admin, without the way to all its pages: this is a question."""
    return admin.site.each_context(request) | {"is_nav_sidebar_enabled": False}


@method_decorator(
    (csrf_exempt, never_cache, sensitive_post_parameters()), name="dispatch"
)
class Machine(OAuthLibMixin, View):
    """What programs call. What they send is the credential: no cookie counts here."""

    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        wait = throttles.wait_for("sign-in", throttles.address(request))
        if wait is not None:
            return too_often(wait)
        try:
            headers, body, status = self.answer(request)
        except ValueError:
            headers, status = {}, 400
            body = InvalidRequestFatalError().json
        found = HttpResponse(body or "", "application/json", status)
        for name, value in headers.items():
            found[name] = value
        return found

    def answer(self, request: HttpRequest) -> tuple[dict[str, str], str, int]:
        raise NotImplementedError


class Token(Machine):
    """Tokens for a code, for a refresh token, or for the secret alone."""

    def answer(self, request: HttpRequest) -> tuple[dict[str, str], str, int]:
        _uri, headers, body, status = self.create_token_response(request)
        if status == 200:
            made = json.loads(body)
            rows = AccessToken.objects.select_related("application", "user")
            token = rows.get(token_checksum=digest(made["access_token"]))
            what = f"{token.application}: {token.scope}"
            audit.record(Kind.OAUTH_ISSUED, request, token.user, door=DOOR, detail=what)
        return headers, body, status


class Revoke(Machine):
    """Gives a token back, and with it the access it came of (RFC 7009)."""

    def answer(self, request: HttpRequest) -> tuple[dict[str, str], str, int]:
        _uri, headers, body, status = self.create_revocation_response(request)
        return headers, body, status


def too_often(wait: int) -> HttpResponse:
    body = {"error": "temporarily_unavailable", "error_description": "Too many."}
    headers = {"Retry-After": str(wait), "Cache-Control": "no-store"}
    return HttpResponse(json.dumps(body), "application/json", 429, headers=headers)
