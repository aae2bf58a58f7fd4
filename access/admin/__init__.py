"""The admin: tokens, applications, second factors, and the audit list.

The lists of web tokens and of OAuth that their packages bring say nothing that these do
not, so they are taken away.
"""

from django.contrib import admin
from oauth2_provider import admin as oauth
from rest_framework_simplejwt.token_blacklist import admin as web_tokens

admin.site.unregister(
    (
        web_tokens.OutstandingToken,
        web_tokens.BlacklistedToken,
        oauth.application_model,
        oauth.grant_model,
        oauth.access_token_model,
        oauth.refresh_token_model,
        oauth.id_token_model,
    )
)

# Of two of these the toolkit had registered its own.
from . import applications, factors, grants, signins, tokens  # noqa: E402

__all__ = ["applications", "factors", "grants", "signins", "tokens"]
