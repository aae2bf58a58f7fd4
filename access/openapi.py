"""The credentials as the OpenAPI description names them. Importing it is enough."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension


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
