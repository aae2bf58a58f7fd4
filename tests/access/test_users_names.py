"""Names of users beside the numbers."""

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import router

from access.users import names
from access.users.outage import UsersUnavailable

pytestmark = pytest.mark.django_db


@pytest.fixture
def cache(settings):
    memory = settings.CACHES["default"] | {"LOCATION": "names"}
    settings.CACHES = settings.CACHES | {settings.SESSION_CACHE_ALIAS: memory}
    settings.USERS_APART = True
    kept = caches[settings.SESSION_CACHE_ALIAS]
    yield kept
    kept.clear()


@pytest.fixture
def ann() -> str:
    return str(User.objects.create_user("Ann").pk)


@pytest.fixture
def down(monkeypatch):
    def refuse(wanted):
        raise UsersUnavailable("down")

    return lambda: monkeypatch.setattr(names, "_look_up", refuse)


def test_names_by_id(ann, cache, django_assert_num_queries):
    with django_assert_num_queries(1, using=User.objects.db):
        found = names.names_of([ann, "0", "(other)", "x' OR 1=1"])
    assert found == {ann: "Ann"}


def test_names_are_known_while_accounts_are_down(ann, cache, down):
    names.names_of([ann])
    down()
    assert names.names_of([ann, "0"]) == {ann: "Ann"}


def test_what_was_never_asked_for_is_not_known(ann, cache, down):
    down()
    assert names.names_of([ann]) == {}


def test_who_is_deleted_has_no_name(
    ann, cache, down, django_capture_on_commit_callbacks
):
    names.names_of([ann])
    alias = router.db_for_write(User)
    with django_capture_on_commit_callbacks(using=alias, execute=True):
        User.objects.get(pk=ann).delete()
    down()
    assert names.names_of([ann]) == {}


def test_nothing_is_copied_where_accounts_are_not_apart(ann, cache, settings):
    settings.USERS_APART = False
    names.names_of([ann])
    assert cache.get(names.PREFIX + ann) is None
