"""The scopes that an application can get: its own, those of use to who it acts for.

Named in `OAUTH2_PROVIDER`. The one list of scopes is that of `access.scopes`. Reads
permissions; writes nothing.
"""

from __future__ import annotations

from typing import Any

from oauth2_provider.scopes import BaseScopes

from .. import scopes
from .models import Application


def usable(application: Application, wanted: object, user: Any) -> list[str]:
    """Of the wanted scopes those allowed and of use to ``user``, in their order."""
    wanted = set(wanted) & application.scopes
    return [scope for scope in scopes.useful_to(user) if scope in wanted]


class Scopes(BaseScopes):
    """As Django OAuth Toolkit asks for them."""

    def get_all_scopes(self) -> dict[str, Any]:
        return scopes.SCOPES

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        """Whom it acts for is asked by the page of consent, unless it acts by itself:
        here nobody knows yet."""
        if application is None:
            return []
        if application.acts_alone:
            return usable(application, application.scopes, application.user)
        return scopes.join(application.scopes).split()

    get_default_scopes = get_available_scopes
