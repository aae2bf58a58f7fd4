"""Sessions in the database and in Redis; in Redis alone while the database is down.

The engine of ``SESSION_ENGINE=cached_db``. Redis is asked first. While the database
does not answer, changes of a session are kept in Redis, one that ends is marked as
ended there, and no new one begins.
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.sessions.backends import cached_db
from django.contrib.sessions.backends.base import UpdateError

from .outage import UsersUnavailable

logger = logging.getLogger("access")
ENDED: dict[str, Any] = {}
"""What is in Redis of a session that ended while its row could not be deleted."""
stale: set[str] = set()
"""Keys of what Redis still has and is not to have, told it as soon as it answers."""


class SessionStore(cached_db.SessionStore):
    """Redis may fail, too: then the database does alone."""

    def load(self) -> dict[str, Any]:
        kept = self._ask("get", self.cache_key)
        if kept is None:
            row = self._get_session_from_db()
            if row is None:
                return {}
            kept = self.decode(row.session_data)
            self._keep(kept, self.get_expiry_age(expiry=row.expire_date))
        if kept == ENDED:
            self._session_key = None
        return kept

    def exists(self, session_key: str | None) -> bool:
        # A new key is random; asking the database is enough.
        return super(cached_db.SessionStore, self).exists(session_key)

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            return self.create()
        try:
            super(cached_db.SessionStore, self).save(must_create)
        except (UsersUnavailable, UpdateError) as error:
            # Django makes the latter of whatever the database says to an update.
            cause = error.__context__ if isinstance(error, UpdateError) else error
            if must_create or not isinstance(cause, UsersUnavailable):
                raise
            if self._ask("get", self.cache_key) == ENDED:
                # By another request, while this one was answered.
                return
        self._keep(self._get_session(no_load=must_create), self.get_expiry_age())

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is None:
            return
        try:
            super(cached_db.SessionStore, self).delete(key)
        except UsersUnavailable:
            seconds = self.get_expiry_age()
            if not self._ask("set", self.cache_key_prefix + key, ENDED, seconds):
                # It would go on.
                raise
        else:
            self._drop(self.cache_key_prefix + key)

    def _keep(self, session: dict[str, Any], seconds: int) -> None:
        if not self._ask("set", self.cache_key, session, seconds):
            # An older state of it must not come back when Redis does.
            self._drop(self.cache_key)

    def _drop(self, key: str) -> None:
        stale.add(key)
        self._ask("delete", key)

    def _ask(self, what: str, *arguments: Any) -> Any:
        try:
            if owed := list(stale):
                self._cache.delete_many(owed)
                stale.difference_update(owed)
            answer = getattr(self._cache, what)(*arguments)
        except Exception as error:  # Redis' client has no one class for all of them
            logger.warning("Sessions: Redis does not answer: %s", error)
            return None
        return answer if what == "get" else True
