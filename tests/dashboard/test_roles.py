"""The roles: which groups the migration makes, and what it leaves alone."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connections, router

roles = import_module("dashboard.migrations.0001_roles")
more = import_module("dashboard.migrations.0003_more_roles")
tokens = import_module("dashboard.migrations.0004_token_roles")
sites = import_module("dashboard.migrations.0005_sites")
pytestmark = pytest.mark.django_db


class Editor:
    """The part of a schema editor that a migration of data reads."""

    connection = connections[router.db_for_write(Group)]


def make() -> None:
    roles.make_roles(apps, Editor)


def held_by(name: str) -> set[str]:
    rows = Permission.objects.filter(group__name=name).select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


@pytest.mark.parametrize("role", roles.ROLES)
def test_role_has_exactly_what_is_written(role):
    later = (more.ROLES, tokens.ROLES, sites.ROLES)
    given = [name for roles_of in later for name in roles_of.get(role, ())]
    assert held_by(role) == {*roles.ROLES[role], *given}


def test_tokens_are_given_to_groups_that_are_still_there():
    Group.objects.filter(name="Analyst").delete()
    ContentType.objects.filter(app_label="access").delete()
    tokens.give(apps, Editor)
    assert not Group.objects.filter(name="Analyst").exists()
    assert set(tokens.TOKENS) <= held_by("Product manager")


def test_a_group_that_staff_deleted_stays_deleted():
    Group.objects.filter(name="Scheduler").delete()
    more.give(apps, Editor)
    assert not Group.objects.filter(name="Scheduler").exists()
    assert set(more.PAST) <= held_by("Analyst")


def test_permissions_are_those_that_django_knows():
    """None is made up: each is declared by a model, under the name of the model."""
    tables = (*roles.ROLES.values(), *more.ROLES.values())
    wanted = {name for names in tables for name in names}
    assert wanted <= set(roles.declared())
    known = {
        f"{row.content_type.app_label}.{row.codename}": row
        for row in Permission.objects.select_related("content_type")
    }
    for name in wanted:
        model, words = roles.declared()[name]
        assert (known[name].content_type.model, known[name].name) == (model, words)
    assert len(known) == Permission.objects.count()


def test_permissions_are_made_where_they_are_missing():
    Group.objects.all().delete()
    ContentType.objects.filter(app_label__in=("products", "analytics")).delete()
    assert not Permission.objects.filter(codename="view_rollup").exists()
    make()
    assert held_by("Analyst") == set(roles.ROLES["Analyst"])


def test_app_that_is_not_installed_gives_nothing(monkeypatch):
    monkeypatch.setitem(roles.ROLES, "Viewer", ("nowhere.view_thing",))
    Group.objects.all().delete()
    make()
    assert held_by("Viewer") == set()


def test_what_staff_added_stays():
    extra = Permission.objects.get(codename="add_group")
    Group.objects.get(name="Viewer").permissions.add(extra)
    make()
    assert held_by("Viewer") == {*roles.ROLES["Viewer"], "auth.add_group"}


def test_going_back_keeps_groups_that_somebody_is_in():
    User.objects.create_user("v").groups.add(Group.objects.get(name="Viewer"))
    Group.objects.create(name="Own")
    roles.remove_roles(apps, Editor)
    assert set(Group.objects.values_list("name", flat=True)) == {"Viewer", "Own"}
    make()
    assert Group.objects.count() == len(roles.ROLES) + 1
