"""What was last known of people who are signed in: a copy in Redis, for some minutes.

Written when their database answers, read only while it does not. Sealed, and with its
time inside: whoever writes to Redis can neither make one up nor make one last longer.
It holds no password, but the mark of it that sessions hold, too.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.cache import caches
from django.db.models.signals import m2m_changed, post_delete, post_save

from ..factors.demand import Demand, demand

logger = logging.getLogger("access")
PREFIX, NAME = "user:", "name:"
EVERY = 60
"""Seconds: a process does not write the same copy more often."""
FIELDS = ("username", "first_name", "last_name")
FLAGS = ("is_active", "is_staff", "is_superuser")
KEPT = 10_000

_written: dict[str, float] = {}


def remember(user: Any) -> None:
    """Keep a copy of a user that was just read."""
    key, now = PREFIX + str(user.pk), time.monotonic()
    if now - _written.get(key, -EVERY) < EVERY:
        return
    names = {name: getattr(user, name) for name in (*FIELDS, *FLAGS)}
    copy = {
        "at": time.time(),
        "names": names,
        "groups": sorted(user.groups.values_list("name", flat=True)),
        "permissions": sorted(user.get_all_permissions()),
        "mark": user.get_session_auth_hash(),
        "owes": demand(user) is not Demand.NONE,
    }
    if len(_written) > KEPT:
        _written.clear()
    if ask_cache("set", key, copy, settings.USERS_REMEMBER_SECONDS):
        _written[key] = now


def recall(pk: object) -> Any:
    """A user as last known, None if too little is known, or for too long."""
    users = get_user_model()
    copy = ask_cache("get", PREFIX + str(pk))
    if not copy or time.time() - copy["at"] >= settings.USERS_REMEMBER_SECONDS:
        return None
    user = users(pk=users._meta.pk.to_python(pk), **copy["names"])
    user._state.adding = False
    user._perm_cache = set(copy["permissions"])
    user.group_names = frozenset(copy["groups"])
    user.owes_factor = copy["owes"]
    user.get_session_auth_hash = lambda: copy["mark"]
    return user


def forget(pk: object) -> None:
    """Whoever lost a right does not have it back by an outage."""
    if not settings.USERS_APART:
        return
    _written.pop(PREFIX + str(pk), None)
    ask_cache("delete_many", [PREFIX + str(pk), NAME + str(pk)])


def ask_cache(what: str, *arguments: Any) -> Any:
    """Without Redis there is nothing to remember, and nothing else is broken."""
    try:
        answer = getattr(caches[settings.SESSION_CACHE_ALIAS], what)(*arguments)
    except Exception as error:  # the client has no one class for all that can go wrong
        logger.warning("Copies of users: Redis does not answer: %s", error)
        return None
    return answer if what.startswith("get") else True


def connect() -> None:
    users = get_user_model()
    for signal in (post_save, post_delete):
        signal.connect(_changed, sender=users, dispatch_uid=f"access-copy-{id(signal)}")
    for field in ("groups", "user_permissions"):
        m2m_changed.connect(
            _rights_changed,
            sender=getattr(users, field).through,
            dispatch_uid=f"access-copy-{field}",
        )


def _changed(sender: Any, instance: Any, **more: Any) -> None:
    forget(instance.pk)


def _rights_changed(sender: Any, instance: Any, pk_set: Any, **more: Any) -> None:
    reverse = isinstance(instance, Group | Permission)
    for pk in (pk_set or ()) if reverse else (instance.pk,):
        forget(pk)
