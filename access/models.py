"""The tables: tokens of scripts, and what became of every attempt to come in.

Tokens are written by the admin and, the time of their last use, by the API; lines of
the audit list by `access.audit` alone. No secret, no password and no whole address is
kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.validators import MinLengthValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import scopes, tokens
from .factors.models import Authenticator, GroupFactor, RecoveryCodes
from .managers import USED_EVERY, ApiTokenQuerySet, SignInQuerySet
from .oauth.models import Application, Grant

__all__ = [
    "ApiToken",
    "Application",
    "Authenticator",
    "Grant",
    "GroupFactor",
    "RecoveryCodes",
    "SignIn",
]
DEFAULT_DAYS = 90
LONGEST_DAYS = 365


def in_days(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)


def default_expiry() -> datetime:
    return in_days(DEFAULT_DAYS)


class ApiToken(models.Model):
    """A token of a script. Its secret is shown once, and nowhere kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        verbose_name=_("user"),
        related_name="api_tokens",
    )
    name = models.CharField(
        _("name"), max_length=100, help_text=_("Where it is used, for example.")
    )
    prefix = models.CharField(
        _("begins with"), max_length=20, unique=True, editable=False
    )
    digest = models.CharField(
        max_length=64, editable=False, validators=[MinLengthValidator(64)]
    )
    scope = models.CharField(_("scopes"), max_length=200)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires = models.DateTimeField(_("expires"), default=default_expiry, db_index=True)
    last_used = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked = models.DateTimeField(_("revoked"), null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def scopes(self) -> frozenset[str]:
        return scopes.split(self.scope)

    def renew_secret(self) -> str:
        """Give it a secret; the text of the token, which cannot be had again."""
        text = tokens.make()
        self.prefix, self.digest = text.prefix, tokens.digest(text.secret)
        return str(text)

    def opens(self, now: datetime) -> bool:
        """Whether it is good for anything at ``now``."""
        return self.revoked is None and now < self.expires and self.user.is_active

    def note_use(self, now: datetime) -> None:
        if self.last_used is None or now - self.last_used >= USED_EVERY:
            type(self).objects.note_use(self.pk, now)
            self.last_used = now

    def revoke(self, now: datetime) -> bool:
        """Close it for ever; False if it was closed before."""
        rows = type(self).objects.filter(pk=self.pk, revoked=None)
        done = bool(rows.update(revoked=now))
        self.refresh_from_db(fields=["revoked"])
        return done


class SignIn(models.Model):
    """A line of the audit list: who came in, or did not, by which door."""

    class Kind(models.TextChoices):
        LOGIN = "login", _("signed in")
        FAILURE = "failure", _("wrong name or password")
        LOCKOUT = "lockout", _("locked out")
        LOGOUT = "logout", _("signed out")
        TIMEOUT = "timeout", _("session ended by time")
        PASSWORD_CHANGED = "password", _("password changed")
        RESET_ASKED = "reset", _("password reset asked for")
        TOKEN_MADE = "token made", _("token made")
        TOKEN_REVOKED = "token revoked", _("token revoked")
        TOKEN_REFUSED = "token refused", _("token refused")
        JWT_ISSUED = "jwt issued", _("JWT issued")
        JWT_REFRESHED = "jwt refreshed", _("JWT refreshed")
        JWT_REFUSED = "jwt refused", _("JWT refused")
        FACTOR_ADDED = "factor added", _("second factor set up")
        FACTOR_REMOVED = "factor removed", _("second factor taken away")
        FACTOR_REFUSED = "factor refused", _("wrong code of a second factor")
        RECOVERY_USED = "recovery used", _("recovery code used")
        GRANT_MADE = "grant made", _("access granted to an application")
        GRANT_DENIED = "grant denied", _("access denied to an application")
        GRANT_REVOKED = "grant revoked", _("access of an application taken away")
        OAUTH_ISSUED = "oauth issued", _("OAuth token issued")
        OAUTH_REFUSED = "oauth refused", _("OAuth token refused")

    kind = models.CharField(_("what"), max_length=20, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        verbose_name=_("user"),
        related_name="sign_ins",
    )
    name = models.CharField(
        _("name"),
        max_length=150,
        blank=True,
        help_text=_("Of a user there is; what else was typed may be a password."),
    )
    door = models.CharField(_("door"), max_length=20, blank=True)
    network = models.CharField(_("network"), max_length=50, blank=True)
    agent = models.CharField(_("program"), max_length=100, blank=True)
    detail = models.CharField(_("detail"), max_length=150, blank=True)
    when = models.DateTimeField(_("when"), default=timezone.now)

    objects = SignInQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        indexes = (
            # The list, and what is pruned.
            models.Index(fields=("-when", "-id"), name="access_signin_when"),
            # Whether the same was said a short time ago.
            models.Index(fields=("kind", "name", "-when"), name="access_signin_kind"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.when:%Y-%m-%d %H:%M:%S}"
