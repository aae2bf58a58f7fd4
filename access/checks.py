"""The system checks: keys that must be apart and long.

Read settings only. Those for production run with ``check --deploy``.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

TAG = "access"
KEY_LENGTH = 32


def connect() -> None:
    checks.register(check_key, TAG, checks.Tags.security)
    checks.register(check_own_key, TAG, checks.Tags.security, deploy=True)


def check_key(**kwargs: Any) -> list[checks.CheckMessage]:
    key = settings.SIMPLE_JWT.get("SIGNING_KEY") or ""
    taken = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    found: list[checks.CheckMessage] = []
    if key in taken:
        found.append(
            checks.Error(
                "JWT_KEY is SECRET_KEY: a web token could be made of what signs "
                "sessions, and the other way round.",
                hint="Set JWT_KEY to another random text.",
                id="access.E001",
            )
        )
    if len(key) < KEY_LENGTH:
        found.append(
            checks.Error(
                "JWT_KEY is short: who has one token can guess it, and make others.",
                hint=f"Use {KEY_LENGTH} random characters or more.",
                id="access.E002",
            )
        )
    if settings.SIMPLE_JWT.get("ALGORITHM") != "HS256":
        found.append(
            checks.Error(
                "Web tokens are made for one algorithm, HS256.",
                hint="Set SIMPLE_JWT['ALGORITHM'] to it.",
                id="access.E003",
            )
        )
    return found


def check_own_key(**kwargs: Any) -> list[checks.CheckMessage]:
    if not settings.JWT_KEY_DERIVED:
        return []
    return [
        checks.Warning(
            "JWT_KEY is not set, so it is made from SECRET_KEY: who learns that one "
            "has both.",
            hint="Set JWT_KEY to a random text of its own.",
            id="access.W001",
        )
    ]
