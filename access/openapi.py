"""The credentials as the OpenAPI description names them. Importing it is enough."""

from typing import Any

from django.urls import reverse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.permissions import SAFE_METHODS

from . import scopes


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "access.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token made in the admin; it begins with adt_.",
        }


class JwtScheme(OpenApiAuthenticationExtension):
    target_class = "access.authentication.JwtAuthentication"
    name = "jwt"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class OAuthScheme(OpenApiAuthenticationExtension):
    """With the scope that each operation asks for."""

    target_class = "access.oauth.authentication.OAuthAuthentication"
    name = "oauth"

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        token = {"tokenUrl": reverse("oauth:token")}
        token |= {"scopes": {name: str(text) for name, text in scopes.SCOPES.items()}}
        code = {"authorizationUrl": reverse("oauth:authorize")}
        code |= {"refreshUrl": reverse("oauth:token")}
        return {
            "type": "oauth2",
            "description": "Authorization code with PKCE, or client credentials.",
            "flows": {"authorizationCode": code | token, "clientCredentials": token},
        }

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        safe = auto_schema.method in SAFE_METHODS
        name = "scope_read" if safe else "scope_write"
        scope = getattr(auto_schema.view, name, None)
        return {self.name: [scope] if scope else []}
