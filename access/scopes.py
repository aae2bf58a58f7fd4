"""Scopes: what a token may be used for, at most.

A scope opens nothing by itself: the permissions of the token's user are asked as well,
whenever it is used. Reads the permissions of users; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

ANALYTICS_READ = "analytics:read"
PRODUCTS_READ = "products:read"
PRODUCTS_WRITE = "products:write"

SCOPES = {
    ANALYTICS_READ: _("Read the numbers of the traffic."),
    PRODUCTS_READ: _("Read products and categories."),
    PRODUCTS_WRITE: _("Add, change and delete products and categories."),
}

PERMISSIONS = {
    ANALYTICS_READ: ("analytics.view_rollup",),
    PRODUCTS_READ: ("products.view_product", "products.view_category"),
    PRODUCTS_WRITE: (
        "products.add_product",
        "products.change_product",
        "products.delete_product",
        "products.add_category",
        "products.change_category",
        "products.delete_category",
    ),
}
"""A scope is of use to who has one of these."""


def useful_to(user: Any) -> list[str]:
    """The scopes with which ``user`` could do anything, in their order."""
    return [
        scope
        for scope in SCOPES
        if any(user.has_perm(permission) for permission in PERMISSIONS[scope])
    ]


def join(scopes: Iterable[str]) -> str:
    """As OAuth writes them: in one word each, with spaces between, in our order."""
    wanted = set(scopes)
    return " ".join(scope for scope in SCOPES if scope in wanted)


def split(text: object) -> frozenset[str]:
    """The scopes of such a text; what is no scope (any more) opens nothing."""
    words = text.split() if isinstance(text, str) else ()
    return frozenset(word for word in words if word in SCOPES)
