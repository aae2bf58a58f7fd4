"""Applications, and the access that users grant them.

Django OAuth Toolkit has the tables of access and refresh tokens and writes all of them.
Of secrets, codes and tokens a digest is kept, and nothing that could be read.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import AbstractApplication, AbstractGrant

from .. import scopes
from . import redirects

CODE = AbstractApplication.GRANT_AUTHORIZATION_CODE
CLIENT = AbstractApplication.GRANT_CLIENT_CREDENTIALS
FLOWS = {
    CODE: _("Its users sign in here and grant it access (authorization code)"),
    CLIENT: _("It acts as its own user, without anybody there (client credentials)"),
}
PUBLIC, CONFIDENTIAL = (
    AbstractApplication.CLIENT_PUBLIC,
    AbstractApplication.CLIENT_CONFIDENTIAL,
)
TYPES = {
    CONFIDENTIAL: _("It runs on a server and can keep a secret (confidential)"),
    PUBLIC: _("It runs on its users' machines, where no secret is one (public)"),
}


class Application(AbstractApplication):
    """A program that asks for tokens; `allowed_scopes` are the most it can get."""

    allowed_scopes = models.CharField(_("allowed scopes"), max_length=200)

    class Meta(AbstractApplication.Meta):
        verbose_name = _("OAuth application")
        verbose_name_plural = _("OAuth applications")
        constraints = (
            # Whoever writes the row: without a secret nobody acts as its user.
            models.CheckConstraint(
                name="access_application_flow",
                condition=Q(authorization_grant_type=CODE)
                | Q(authorization_grant_type=CLIENT, client_type=CONFIDENTIAL),
            ),
            models.CheckConstraint(
                name="access_application_safe",
                condition=Q(hash_client_secret=True, skip_authorization=False),
            ),
        )

    @property
    def scopes(self) -> frozenset[str]:
        return scopes.split(self.allowed_scopes)

    @property
    def acts_alone(self) -> bool:
        return self.authorization_grant_type == CLIENT

    def clean(self) -> None:
        """The toolkit's rules are for flows that there are not."""
        uris = self.redirect_uris.split()
        wrong: dict[str, Any] = {}
        if self.acts_alone and self.client_type == PUBLIC:
            wrong["client_type"] = _("Without a secret it cannot act by itself.")
        if self.acts_alone and self.user is None:
            wrong["user"] = _("It needs a user to act as.")
        if self.acts_alone == bool(uris):
            wrong["redirect_uris"] = (
                _("It acts by itself: nobody is sent back to it.")
                if uris
                else _("Name at least one address to send its users back to.")
            )
        found = [error for uri in uris for error in redirects.errors_of(uri)]
        if found:
            wrong["redirect_uris"] = found
        if wrong:
            raise ValidationError(wrong)

    def renew_secret(self) -> str:
        """A new one, of which only a hash is saved."""
        self.client_secret = generate_client_secret()
        return self.client_secret

    def redirect_uri_allowed(self, uri: str) -> bool:
        """Exactly: neither another port nor anything behind it."""
        return uri in self.redirect_uris.split()

    def get_allowed_schemes(self) -> list[str]:
        """Plain http is registered for loopback addresses alone."""
        return ["https", "http"]

    def get_absolute_url(self) -> str:
        return ""


class GrantQuerySet(models.QuerySet):
    """Access that was granted."""

    def live(self) -> GrantQuerySet:
        """Whose code was used, so that something came of it."""
        return self.exclude(token_family=None)

    def of(self, user: models.Model) -> GrantQuerySet:
        return self.filter(user=user)


class Grant(AbstractGrant):
    """What a user has granted an application, as long as it lasts.

    It begins as a code. That opens nothing once the family of tokens is there; `code`
    is the digest of it, to notice who comes with it again.
    """

    token_family = models.UUIDField(
        _("token family"), null=True, unique=True, editable=False
    )
    last_used = models.DateTimeField(_("last token"), null=True, editable=False)

    objects = GrantQuerySet.as_manager()

    class Meta(AbstractGrant.Meta):
        verbose_name = _("application with access")
        verbose_name_plural = _("applications with access")
        indexes = (models.Index(fields=("expires",), name="access_grant_expires"),)

    def __str__(self) -> str:
        return f"{self.application}: {self.scope}"
