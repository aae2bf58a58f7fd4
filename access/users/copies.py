"""What was last known of people who are signed in: a copy in Redis, for some minutes.

Written when their database answers, read only while it does not. Sealed, and with its
time inside: whoever writes to Redis can neither make one up nor make one last longer.
It holds no password, but the mark of it that sessions hold, too. What changes the
rights of one drops the copy; what changes those of many drops all, by a new edition.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.cache import caches
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django_otp.plugins.otp_totp.models import TOTPDevice

from ..factors.demand import Demand, demand
from ..factors.models import Authenticator, GroupFactor
from .outage import UsersUnavailable

logger = logging.getLogger("access")
PREFIX, NAME = "user:", "name:"
EDITION = "users:edition"
"""A copy of another edition than the present one is none."""
EVERY = 60
"""Seconds: a process does not write the same copy more often, not even one that another
process has dropped meanwhile. So long there may be none: it refuses, and never lies."""
FIELDS = ("username", "first_name", "last_name")
FLAGS = ("is_active", "is_staff", "is_superuser")
KEPT = 10_000

_written: dict[str, float] = {}


def remember(user: Any) -> None:
    """Keep a copy of a user that was just read."""
    key, now = PREFIX + str(user.pk), time.monotonic()
    if now - _written.get(key, -EVERY) < EVERY:
        return
    copy = {
        # Before anything else is read: what changes from here on is another edition.
        "edition": ask_cache("get", EDITION),
        "pk": str(user.pk),
        "at": time.time(),
        "names": {name: getattr(user, name) for name in (*FIELDS, *FLAGS)},
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
    key = PREFIX + str(pk)
    kept = ask_cache("get_many", [key, EDITION]) or {}
    copy = kept.get(key)
    if not copy or (copy["pk"], copy["edition"]) != (str(pk), kept.get(EDITION)):
        return None
    if time.time() - copy["at"] >= settings.USERS_REMEMBER_SECONDS:
        return None
    return _revived(pk, copy)


def _revived(pk: object, copy: dict[str, Any]) -> Any:
    users = get_user_model()
    user = users(pk=users._meta.pk.to_python(pk), **copy["names"])
    user._state.adding = False
    user._perm_cache = set(copy["permissions"])
    user.group_names = frozenset(copy["groups"])
    user.owes_factor = copy["owes"]
    user.get_session_auth_hash = lambda: copy["mark"]
    # It has no password to compare with, and would be saved without one.
    user.check_password = user.set_password = user.save = _refuse
    return user


def _refuse(*args: Any, **kwargs: Any) -> None:
    raise UsersUnavailable("only a copy of the user is known")


def forget(pk: object) -> None:
    """Whoever lost a right does not have it back by an outage."""
    if not settings.USERS_APART:
        return
    _written.pop(PREFIX + str(pk), None)
    ask_cache("delete_many", [PREFIX + str(pk), NAME + str(pk)])


def forget_all() -> None:
    """For what changes the rights of many: one key instead of thousands."""
    if not settings.USERS_APART:
        return
    _written.clear()
    ask_cache("set", EDITION, secrets.token_hex(8), None)


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
    for model in (users, Authenticator, TOTPDevice):
        _on_change(model, _one_changed)
    for model in (Group, Permission, GroupFactor):
        _on_change(model, _all_changed)
    rights = (users.groups.through, users.user_permissions.through)
    for sender, changed in (
        *((through, _rights_changed) for through in rights),
        (Group.permissions.through, _all_changed),
    ):
        m2m_changed.connect(changed, sender, dispatch_uid=f"access-copy-{sender}")


def _on_change(model: Any, changed: Callable[..., None]) -> None:
    for signal in (post_save, post_delete):
        uid = f"access-copy-{id(signal)}-{model}"
        signal.connect(changed, sender=model, dispatch_uid=uid)


def _one_changed(sender: Any, instance: Any, using: str, **more: Any) -> None:
    pk = getattr(instance, "user_id", instance.pk)
    # Not before others can read it: they would write the old copy once more.
    transaction.on_commit(partial(forget, pk), using)


def _all_changed(sender: Any, using: str, **more: Any) -> None:
    transaction.on_commit(forget_all, using)


def _rights_changed(
    sender: Any, instance: Any, pk_set: Any, using: str, **more: Any
) -> None:
    if not isinstance(instance, Group | Permission):
        transaction.on_commit(partial(forget, instance.pk), using)
    elif pk_set is None:
        # All were taken out, and nobody says whom.
        transaction.on_commit(forget_all, using)
    else:
        for pk in pk_set:
            transaction.on_commit(partial(forget, pk), using)
