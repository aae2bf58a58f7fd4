"""When the database of accounts does not answer: one exception, and no long waits.

`Guarded` is mixed into a database backend. Whatever is raised because the server cannot
be reached, or was lost, becomes `UsersUnavailable`. After that a process asks again
only every few seconds, one thread at a time; meanwhile the others are refused at once.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from django.db.utils import DatabaseErrorWrapper, Error, OperationalError

RETRY_AFTER = 5
"""Seconds between two attempts to reach a server that did not answer."""
SLOW = 1.0
"""Seconds after which a health check that failed did not merely find a closed line."""


class UsersUnavailable(OperationalError):
    """The database of accounts cannot be reached."""

    retry_after = RETRY_AFTER


class Breaker:
    """Open while the server is taken to be down."""

    def __init__(self) -> None:
        self._closed_at = 0.0
        self._lock = threading.Lock()

    def trip(self) -> None:
        self._closed_at = time.monotonic() + RETRY_AFTER

    def reset(self) -> None:
        self._closed_at = 0.0

    def lets_in(self) -> bool:
        """Whether the caller may try. While one tries, the others may not."""
        with self._lock:
            if not self._closed_at:
                return True
            if time.monotonic() < self._closed_at:
                return False
            self.trip()
            return True


breakers: dict[str, Breaker] = {}
"""One for each alias: of a process, not of its threads."""


class Guarded:
    """For a backend's DatabaseWrapper, before it."""

    @property
    def breaker(self) -> Breaker:
        return breakers.setdefault(self.alias, Breaker())

    @property
    def wrap_database_errors(self) -> ErrorWrapper:
        return ErrorWrapper(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not self.breaker.lets_in():
            raise UsersUnavailable("not asked again so soon after it did not answer")
        try:
            connection = super().get_new_connection(conn_params)
        except self.Database.Error as error:
            self.breaker.trip()
            raise UsersUnavailable(*error.args) from error
        self.breaker.reset()
        return connection

    def is_usable(self) -> bool:
        begun = time.monotonic()
        usable = super().is_usable()
        if not usable and time.monotonic() - begun >= SLOW:
            self.breaker.trip()
        return usable

    def is_lost(self) -> bool:
        """Whether the driver has given the connection up."""
        raw = self.connection
        return raw is not None and bool(
            getattr(raw, "closed", not getattr(raw, "open", True))
        )


class ErrorWrapper(DatabaseErrorWrapper):
    """Django's translation of a driver's errors, and of what was lost."""

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        try:
            super().__exit__(kind, value, traceback)
        except Error as error:
            # By whatever name: PostgreSQL's driver says DatabaseError, and no more.
            if not self.wrapper.is_lost():
                raise
            self.wrapper.breaker.trip()
            raise UsersUnavailable(*error.args) from value
