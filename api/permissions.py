"""Who may do what, beside the scopes: Django's permissions of a model."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission, DjangoModelPermissions

VIEW = ["%(app_label)s.view_%(model_name)s"]


class ModelRights(DjangoModelPermissions):
    """As Django REST framework's, and who reads needs a permission too."""

    perms_map = DjangoModelPermissions.perms_map | {"GET": VIEW, "HEAD": VIEW}


class Needs(BasePermission):
    """The permissions that a view names in ``permissions_needed``, all of them."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return request.user.has_perms(view.permissions_needed)


class StaffOrCredential(BasePermission):
    """Members of staff, and scripts: what describes the API is not for visitors."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return request.auth is not None or request.user.is_staff


def may(request: Any, permission: str, scope: str) -> bool:
    """Whether user and credential both allow what a view does not always need."""
    scopes = getattr(request.auth, "scopes", frozenset())
    in_scope = request.auth is None or scope in scopes
    return in_scope and request.user.has_perm(permission)
