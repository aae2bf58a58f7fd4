"""The permissions of users: those that Django finds, in one query."""

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission, User

from access.backends import AccountBackend

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    """With a permission of her own, two of her groups, and one of both."""
    made = User.objects.create_user("grace")
    other = User.objects.create_user("other")
    view, add, change, delete = (
        Permission.objects.get(codename=f"{verb}_logentry")
        for verb in ("view", "add", "change", "delete")
    )
    first, second, third = (Group.objects.create(name=f"{n}") for n in range(3))
    first.permissions.set([view, add])
    second.permissions.set([add])
    third.permissions.set([delete])
    made.groups.set([first, second])
    made.user_permissions.set([add, change])
    other.groups.set([third])
    other.user_permissions.set([delete])
    return made


def names(*verbs: str) -> set[str]:
    return {f"admin.{verb}_logentry" for verb in verbs}


def test_own_and_those_of_groups_in_one_query(user, django_assert_num_queries):
    with django_assert_num_queries(1, using=User.objects.db):
        found = AccountBackend().get_all_permissions(user)
        assert AccountBackend().has_perm(user, "admin.view_logentry")
        assert not AccountBackend().has_perm(user, "admin.delete_logentry")
    assert found == names("view", "add", "change")
    assert found == ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))


@pytest.mark.parametrize("name", ["nobody", "inactive", "superuser", "object"])
def test_others_have_what_django_says(user, name):
    user.is_active = name != "inactive"
    user.is_superuser = name == "superuser"
    asked = AnonymousUser() if name == "nobody" else user
    about = user if name == "object" else None
    expected = ModelBackend().get_all_permissions(asked, about)
    if asked is user:
        vars(user).pop("_perm_cache", None)
    assert AccountBackend().get_all_permissions(asked, about) == expected
    assert len(expected) > 3 if name == "superuser" else expected == set()


def test_a_permission_that_is_taken_away_is_gone_at_the_next_request(user):
    assert user.has_perm("admin.change_logentry")
    user.user_permissions.clear()
    again = User.objects.get(pk=user.pk)
    assert not again.has_perm("admin.change_logentry")
    assert again.has_perm("admin.view_logentry")
