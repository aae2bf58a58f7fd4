"""The tables: django-otp's two kinds of device, with less to steal, and rules.

The secret of an app is sealed and recovery codes are digests; failures slow down who
tries, but never for longer than `LONGEST_WAIT`. Written by `access.factors.keeping`.
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import sealing

logger = logging.getLogger("access")
MOST_FAILURES = 10
"""django-otp waits 1, 2, 4 … seconds after failures; it counts no further than this."""
LONGEST_WAIT = 2 ** (MOST_FAILURES - 1)


class Bounded:
    """django-otp's waits, which would double until nobody lives to see their end."""

    def throttle_increment(self, commit: bool = True) -> None:
        before = self.throttling_failure_count
        self.throttling_failure_count = min(before, MOST_FAILURES - 1)
        super().throttle_increment(commit)


class Authenticator(Bounded, TOTPDevice):
    """An app that shows a code of six digits, another one every 30 seconds."""

    class Meta:
        proxy = True
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return str(_("second factor of %s") % self.user.get_username())

    @property
    def bin_key(self) -> bytes:
        """The secret in clear, in memory alone."""
        return sealing.unseal(self.key, self.user_id)

    @bin_key.setter
    def bin_key(self, secret: bytes) -> None:
        self.key = sealing.seal(secret, self.user_id)

    def verify_token(self, token: Any) -> bool:
        """Whether the code is right, and was not used; whatever it is, it is now."""
        try:
            # With the present key, so that an old one can be taken out of use.
            self.bin_key = self.bin_key
        except sealing.Unreadable:
            logger.error(
                "The second factor of user %s cannot be read: was SECRET_KEY changed? "
                "`manage.py access_reset_factor` takes it away.",
                self.user_id,
            )
            return False
        return super().verify_token(token)


class RecoveryCodes(Bounded, StaticDevice):
    """Codes on paper, each good once. Their digests are kept."""

    class Meta:
        proxy = True
        verbose_name = verbose_name_plural = _("recovery codes")

    def verify_token(self, token: str) -> bool:
        known = self.token_set.filter(token__in=sealing.digests(token, self.user_id))
        # An empty one is never kept.
        return super().verify_token(known.values_list("token", flat=True).first() or "")


class GroupFactor(models.Model):
    """What a group asks of its members. Without a row, nothing."""

    group = models.OneToOneField(Group, models.CASCADE, related_name="factor")
    required = models.BooleanField(
        _("required of every member"),
        default=False,
        help_text=_(
            "Members who have none are asked to set one up at their next click, and "
            "can do nothing else before. Scripts get no web token for a password alone."
        ),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("second factor")

    def __str__(self) -> str:
        return str(_("required") if self.required else _("not required"))
