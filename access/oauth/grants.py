"""Access that was granted: begun with a code, used, and taken away.

Writes grants and the tokens that came of them, in one transaction, wherever the router
keeps them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import router, transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken
from oauth2_provider.settings import oauth2_settings

from .models import Application, Grant

LONGEST = timedelta(days=90)
"""After so long a user is asked again, however often the application came."""


def lasts_until(now: datetime) -> datetime:
    """When access ends that was used at ``now``, and never again."""
    seconds = (
        oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS
        + oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS
    )
    return now + timedelta(seconds=seconds)


def begin(code_digest: str, application: Application, family: UUID) -> bool:
    """Use up the code; False if somebody did, even at this moment."""
    now = timezone.now()
    unused = Grant.objects.filter(
        code=code_digest, application=application, token_family=None
    )
    changes = {"token_family": family, "last_used": now, "expires": lasts_until(now)}
    return bool(unused.update(**changes))


def note_use(family: UUID) -> None:
    now = timezone.now()
    found = Grant.objects.filter(token_family=family)
    found.update(last_used=now, expires=lasts_until(now))


def of_family(family: UUID | None) -> Grant | None:
    """The grant that a token came of, if it lasts."""
    found = Grant.objects.live().select_related("application", "user")
    grant = found.filter(token_family=family).first() if family else None
    return grant if grant and timezone.now() - grant.created < LONGEST else None


def take_away(grant: Grant) -> None:
    """End it, and all tokens that came of it."""
    with transaction.atomic(using=router.db_for_write(Grant)):
        RefreshToken.revoke_family(grant.token_family)
        grant.delete()


def take_own(application: Application) -> None:
    """End what an application got by its secret alone."""
    own = AccessToken.objects.filter(application=application, refresh_token=None)
    own.delete()


def owner(application: Application) -> Any:
    """Whom it acts as by itself; None if that one may not come in."""
    user = application.user
    return user if user is not None and user.is_active else None
