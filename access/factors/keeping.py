"""Setting a factor up, its recovery codes, taking it away. Writes django-otp's tables.

One app for each user, and ten codes. Never returns what it returned once.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.db import router, transaction
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticToken

from . import sealing
from .models import Authenticator, RecoveryCodes

SECRET_BYTES = 20
CODES = 10
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without what looks alike on paper."""
CODE_CHARS = 10
SECRET_SECONDS = 1800
"""So long a new secret waits for its first code."""


def atomic() -> Any:
    """In whichever database the accounts are."""
    return transaction.atomic(using=router.db_for_write(Authenticator))


def of(user: Any) -> Authenticator | None:
    """The factor of a user, if there is one that counts."""
    return Authenticator.objects.filter(user=user, confirmed=True).first()


def begun(user: Any, pk: object) -> Authenticator | None:
    """One that waits for its first code, if it is this one and not too old."""
    since = timezone.now() - timedelta(seconds=SECRET_SECONDS)
    own = Authenticator.objects.filter(user=user, confirmed=False)
    return own.filter(pk=pk, created_at__gt=since).first()


def begin(user: Any) -> Authenticator:
    """A new secret, in the place of one that was not confirmed."""
    device = Authenticator(user=user, name="authenticator", confirmed=False)
    device.bin_key = secrets.token_bytes(SECRET_BYTES)
    with atomic():
        Authenticator.objects.filter(user=user, confirmed=False).delete()
        device.save()
    return device


def confirm(device: Authenticator) -> list[str]:
    """It counts from now on; its recovery codes."""
    with atomic():
        Authenticator.objects.filter(user=device.user).exclude(pk=device.pk).delete()
        device.confirmed, device.created_at = True, timezone.now()
        device.save(update_fields=["confirmed", "created_at"])
        return renew(device.user)


def renew(user: Any) -> list[str]:
    """New recovery codes, as they are typed; those from before are worth nothing."""
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))
             for _ in range(CODES)]  # fmt: skip
    with atomic():
        RecoveryCodes.objects.filter(user=user).delete()
        device = RecoveryCodes.objects.create(user=user, name="recovery codes")
        StaticToken.objects.bulk_create(
            StaticToken(device=device, token=sealing.digests(code, user.pk)[0])
            for code in codes
        )
    return codes


def left(user: Any) -> int:
    """How many recovery codes are unused."""
    return StaticToken.objects.filter(device__user=user).count()


def remove(user: Any) -> bool:
    """Take the factor away, and all that belongs to it; False if there was none."""
    with atomic():
        had = of(user) is not None
        Authenticator.objects.filter(user=user).delete()
        RecoveryCodes.objects.filter(user=user).delete()
    return had
