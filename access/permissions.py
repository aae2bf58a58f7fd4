"""`InScope`: a credential is good for what its scopes name, and for nothing else.

A view says which scope it wants: `scope_read` for methods that change nothing,
`scope_write` for the others. A view that does not say lets nobody in. Sessions have all
scopes; the permissions of the user are asked by another class.
"""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


class InScope(BasePermission):
    """Whether the credential covers the view and the method."""

    message = "This credential does not have the scope that this needs."
    code = "scope_missing"

    def has_permission(self, request: Request, view: Any) -> bool:
        name = "scope_read" if request.method in SAFE_METHODS else "scope_write"
        wanted = getattr(view, name, None)
        if not wanted:
            # Nothing is there to be let in to, and no scope would help.
            if request.method not in view.allowed_methods:
                raise MethodNotAllowed(request.method)
            return False
        if request.auth is None:
            return True
        return wanted in getattr(request.auth, "scopes", ())
