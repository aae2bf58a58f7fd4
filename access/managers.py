"""The questions that the tables of tokens and of the audit list answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from .models import SignIn

USED_EVERY = timedelta(minutes=1)
"""The last use is not written more often."""


class ApiTokenQuerySet(models.QuerySet):
    """Tokens of scripts."""

    def active(self, now: datetime | None = None) -> ApiTokenQuerySet:
        """What opens a door, if its user may still sign in."""
        now = now or timezone.now()
        return self.filter(revoked=None, expires__gt=now, user__is_active=True)

    def expired(self, now: datetime | None = None) -> ApiTokenQuerySet:
        return self.filter(expires__lte=now or timezone.now())

    def of(self, user: models.Model) -> ApiTokenQuerySet:
        return self.filter(user=user)

    def ended_before(self, moment: datetime) -> ApiTokenQuerySet:
        """What opened nothing since ``moment``."""
        return self.filter(Q(expires__lt=moment) | Q(revoked__lt=moment))

    def note_use(self, pk: int, now: datetime) -> None:
        """Once a minute at most, however many requests come at once."""
        unnoted = Q(last_used=None) | Q(last_used__lte=now - USED_EVERY)
        self.filter(unnoted, pk=pk).update(last_used=now)


class SignInQuerySet(models.QuerySet):
    """Lines of the audit list."""

    def since(self, moment: datetime) -> SignInQuerySet:
        return self.filter(when__gte=moment)

    def before(self, moment: datetime) -> SignInQuerySet:
        return self.filter(when__lt=moment)

    def like(self, line: SignIn) -> SignInQuerySet:
        """Those that say the same of the same, at whatever time."""
        return self.filter(
            kind=line.kind, name=line.name, network=line.network, detail=line.detail
        )
