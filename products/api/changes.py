"""The admin's log of what was changed through the API: what, and who did it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db import IntegrityError, router, transaction
from django.db.models import Model

from api.problems import Conflict
from products.models import Product

VERBS = {ADDITION: "Added", CHANGE: "Changed", DELETION: "Deleted"}

OVERTAKEN = "Somebody changed what it belongs to a moment ago. Nothing was done."


@contextmanager
def together() -> Iterator[None]:
    """A change and what the log says of it: both, or neither of them.

    If the log is in another database, that one's transaction ends first: should the
    other's end fail, the log says too much, never too little.
    """
    try:
        with ExitStack() as stack:
            for alias in dict.fromkeys(map(router.db_for_write, (Product, LogEntry))):
                stack.enter_context(transaction.atomic(using=alias))
            yield
    except IntegrityError:
        # PostgreSQL looks at references last of all: at a category that went meanwhile.
        raise Conflict(OVERTAKEN) from None


def log(
    request: Any, flag: int, rows: Iterable[Model], fields: Sequence[str] = ()
) -> None:
    """An entry for each; to be called `together` with the change, and with a
    deletion before it."""
    named = f": {', '.join(fields)}" if fields else ""
    text = f"{VERBS[flag]} through the API{named}."
    LogEntry.objects.log_actions(request.user.pk, list(rows), flag, change_message=text)
