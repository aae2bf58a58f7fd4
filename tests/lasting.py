"""Data for all tests of a module, written once."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def lasting(django_db_blocker) -> Iterator[None]:
    """What is written inside stays until its end; each test begins with it anew."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
