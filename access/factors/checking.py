"""Whether a code is right: once, of its own user, and not too soon after a wrong one.

Reads and writes django-otp's devices, a row locked while it is looked at, so that of
two who send the same code at once one is refused.
"""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone
from django_otp.models import Device

from .keeping import ALPHABET, CODE_CHARS, atomic
from .models import Authenticator, RecoveryCodes

CODE = re.compile(r"[0-9]{6}")
RECOVERY = re.compile(rf"[{ALPHABET}]{{{CODE_CHARS}}}")


class Outcome(Enum):
    RIGHT = "right"
    RECOVERY = "recovery"
    WRONG = "wrong"
    WAIT = "wait"


class Answer(NamedTuple):
    """`seconds` until the next attempt is looked at, if this one was not."""

    outcome: Outcome
    device: Device | None = None
    seconds: int = 0

    @property
    def is_right(self) -> bool:
        return self.outcome in (Outcome.RIGHT, Outcome.RECOVERY)


def check(user: Any, text: str) -> Answer:
    """Look at a code as it was typed, and use it up."""
    code = _bare(text)
    if CODE.fullmatch(code):
        own = Authenticator.objects.filter(user=user, confirmed=True)
        return _try(own, Outcome.RIGHT, code)
    if RECOVERY.fullmatch(code):
        own = RecoveryCodes.objects.filter(user=user, confirmed=True)
        return _try(own, Outcome.RECOVERY, code)
    return Answer(Outcome.WRONG)


def check_first(device: Authenticator, text: str) -> Answer:
    """The code by which an app shows that it was given the secret."""
    code = _bare(text)
    if not CODE.fullmatch(code):
        return Answer(Outcome.WRONG)
    new = Authenticator.objects.filter(pk=device.pk, confirmed=False)
    return _try(new, Outcome.RIGHT, code)


def _bare(text: str) -> str:
    return re.sub(r"[\s-]", "", text).lower()


def _try(own: QuerySet, right: Outcome, code: str) -> Answer:
    with atomic():
        device = own.select_for_update().first()
        if device is None:
            return Answer(Outcome.WRONG)
        allowed, why = device.verify_is_allowed()
        if not allowed:
            wait = (why["locked_until"] - timezone.now()).total_seconds()
            return Answer(Outcome.WAIT, seconds=max(1, math.ceil(wait)))
        if not device.verify_token(code):
            return Answer(Outcome.WRONG)
        return Answer(right, device)
