"""What somebody owes besides a password: nothing, a code, or first of all a phone.

Reads devices, groups and SECOND_FACTOR_REQUIRED: one query. Writes nothing.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef

from .models import Authenticator, GroupFactor

GROUPS, SUPERUSERS, STAFF = "groups", "superusers", "staff"


class Demand(Enum):
    """`SETUP`: a factor is required, and there is none yet."""

    NONE = "none"
    CODE = "code"
    SETUP = "setup"


def demand(user: Any) -> Demand:
    """Of a user, whatever was given so far."""
    own = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
    rules = GroupFactor.objects.filter(group__user=OuterRef("pk"), required=True)
    row = get_user_model()._default_manager.filter(pk=user.pk)
    facts = row.values_list(Exists(own), Exists(rules)).first()
    has, required = facts or (False, False)
    if has:
        return Demand.CODE
    return Demand.SETUP if required or _by_setting(user) else Demand.NONE


def outlived(user: Any, since: datetime) -> bool:
    """Whether what ``user`` granted at ``since`` lacks what is asked for by now."""
    owed = demand(user)
    if owed is Demand.CODE:
        own = Authenticator.objects.filter(user=user, confirmed=True)
        return own.filter(created_at__gt=since).exists()
    return owed is Demand.SETUP


def _by_setting(user: Any) -> bool:
    asked = settings.SECOND_FACTOR_REQUIRED
    if asked == STAFF:
        return user.is_staff or user.is_superuser
    return asked == SUPERUSERS and user.is_superuser
