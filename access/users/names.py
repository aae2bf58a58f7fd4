"""Names of users beside the numbers, from a copy while accounts cannot be looked up.

Reads users, one query for all that are asked for; writes what it found into Redis,
sealed, if accounts have a database of their own.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth import get_user_model

from .copies import NAME as PREFIX
from .copies import ask_cache
from .outage import UsersUnavailable

DAYS = 30


def names_of(ids: Iterable[str]) -> dict[str, str]:
    """By id; without those that there are no users of."""
    wanted = [key for key in ids if key.isdecimal()]
    try:
        found = _look_up(wanted)
    except UsersUnavailable:
        kept = ask_cache("get_many", [PREFIX + key for key in wanted]) or {}
        return {key.removeprefix(PREFIX): name for key, name in kept.items()}
    if settings.USERS_APART and found:
        copy = {PREFIX + key: name for key, name in found.items()}
        ask_cache("set_many", copy, DAYS * 86_400)
    return found


def _look_up(wanted: list[str]) -> dict[str, str]:
    users = get_user_model()
    rows = users._default_manager.filter(pk__in=wanted)
    return {str(pk): name for pk, name in rows.values_list("pk", users.USERNAME_FIELD)}
