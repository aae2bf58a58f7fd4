"""The admin's log of what was changed through the API: what, and who did it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db.models import Model

VERBS = {ADDITION: "Added", CHANGE: "Changed", DELETION: "Deleted"}


def log(
    request: Any, flag: int, rows: Iterable[Model], fields: Sequence[str] = ()
) -> None:
    """An entry for each; to be called in the transaction of the change, and of a
    deletion before it."""
    named = f": {', '.join(fields)}" if fields else ""
    text = f"{VERBS[flag]} through the API{named}."
    LogEntry.objects.log_actions(request.user.pk, list(rows), flag, change_message=text)
