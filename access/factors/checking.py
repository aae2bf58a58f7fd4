"""Whether a code is right: once, of its own user, and not too soon after a wrong one.

Reads and writes django-otp's devices, a row locked while it is looked at, so that of
two who send the same code at once one is refused.
"""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import Any, NamedTuple

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


def check(user: Any, text: str, confirmed: bool = True) -> Answer:
    """Look at a code as it was typed, and use it up."""
    code = re.sub(r"[\s-]", "", text).lower()
    if CODE.fullmatch(code):
        return _try(Authenticator, Outcome.RIGHT, user, code, confirmed)
    if confirmed and RECOVERY.fullmatch(code):
        return _try(RecoveryCodes, Outcome.RECOVERY, user, code, confirmed)
    return Answer(Outcome.WRONG)


def _try(
    kind: type[Device], right: Outcome, user: Any, code: str, confirmed: bool
) -> Answer:
    with atomic():
        own = kind.objects.filter(user=user, confirmed=confirmed)
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
