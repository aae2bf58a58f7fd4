"""Who is signed in, also while the database of accounts is down: as last known.

Nobody signs in by it who is not signed in. Reads users; reads and writes their copies.
"""

from __future__ import annotations

from typing import Any

from ..backends import AccountBackend
from . import copies
from .outage import UsersUnavailable


class RememberingBackend(AccountBackend):
    """The one of every installation, which remembers whom it found."""

    def get_user(self, user_id: Any) -> Any:
        try:
            user = super().get_user(user_id)
            if user is None:
                copies.forget(user_id)
            else:
                copies.remember(user)
        except UsersUnavailable:
            user = copies.recall(user_id)
            if user is None:
                raise
        return user
