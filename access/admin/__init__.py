"""The admin: tokens of scripts, and the audit list, which nobody edits.

The lists of web tokens that their package brings say nothing that the audit list does
not, so they are taken away.
"""

from django.contrib import admin
from rest_framework_simplejwt.token_blacklist import admin as web_tokens

from . import signins, tokens

admin.site.unregister((web_tokens.OutstandingToken, web_tokens.BlacklistedToken))

__all__ = ["signins", "tokens"]
