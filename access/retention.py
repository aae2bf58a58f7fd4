"""Retention: how long is kept who came in, and what is kept of tokens that ended.

Deletes in batches, so that nobody waits long.
"""

from __future__ import annotations

from datetime import timedelta

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.core.management import call_command
from django.db.models import QuerySet
from django.utils import timezone
from oauth2_provider.models import clear_expired
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from .models import ApiToken, Grant, SignIn

DAYS = 90
"""Of lines of the audit list; of tokens after they ended."""
LINES_LIMIT = 100_000
BATCH_ROWS = 2_000


def prune() -> str:
    """Delete what is past its time; what went, in a sentence."""
    now = timezone.now()
    limit = now - timedelta(days=DAYS)
    gone = {
        "sign-ins": _delete(SignIn.objects.before(limit)) + _cap(),
        "API tokens": _delete(ApiToken.objects.ended_before(limit)),
        "web tokens": _delete(OutstandingToken.objects.filter(expires_at__lt=now)),
        "OAuth grants": _delete(Grant.objects.filter(expires__lt=now)),
        "attempts": _delete(
            AccessAttempt.objects.filter(attempt_time__lt=now - get_cool_off())
        ),
    }
    # Tokens of OAuth: a used one stays as long as its use would be noticed.
    clear_expired()
    call_command("clearsessions", verbosity=0)
    return ", ".join(f"{number} {name}" for name, number in gone.items()) + " deleted"


def _cap() -> int:
    """However many attempts there are, the table stays bounded: the oldest go."""
    first = SignIn.objects.order_by("-when", "-pk")[LINES_LIMIT : LINES_LIMIT + 1]
    found = first.first()
    return _delete(SignIn.objects.filter(when__lte=found.when)) if found else 0


def _delete(rows: QuerySet) -> int:
    """How many rows went, without those that went with them."""
    done = 0
    keys = rows.order_by("pk").values_list("pk", flat=True)
    while batch := list(keys[:BATCH_ROWS]):
        rows.model._default_manager.filter(pk__in=batch).delete()
        done += len(batch)
    return done
