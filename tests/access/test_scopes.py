"""Scopes: to whom they are of use, how they are written."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from access import scopes


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "useful"),
    [
        ("Viewer", ["analytics:read", "products:read"]),
        ("Product manager", list(scopes.SCOPES)),
        ("Scheduler", ["analytics:read"]),
    ],
)
def test_scope_is_of_use_to_who_has_a_permission_of_it(role, useful):
    user = User.objects.create_user("ada")
    assert scopes.useful_to(user) == []
    user.groups.set(Group.objects.filter(name=role))
    assert scopes.useful_to(User.objects.get()) == useful


@pytest.mark.django_db
def test_permissions_named_exist():
    assert scopes.PERMISSIONS.keys() == scopes.SCOPES.keys()
    rows = Permission.objects.values_list("content_type__app_label", "codename")
    known = {f"{label}.{codename}" for label, codename in rows}
    wanted = {name for names in scopes.PERMISSIONS.values() for name in names}
    assert wanted <= known


def test_what_is_no_scope_opens_nothing():
    text = scopes.join(["products:write", "users:delete", "analytics:read"])
    assert text == "analytics:read products:write"
    assert scopes.split(text + " users:delete") == set(text.split())
    assert scopes.split(None) == scopes.split(["analytics:read"]) == frozenset()
