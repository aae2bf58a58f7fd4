"""The tables fit the settings; what is not there yet is no fault."""

import pytest
from django.db import DatabaseError, connection
from django_celery_beat.models import PeriodicTask

from analytics.checks import check_tables
from analytics.models import Writer
from tests.analytics.checks.ids import ids


@pytest.mark.django_db
def test_good_tables(site):
    Writer.objects.create(site="test", time_zone="UTC")
    assert check_tables(databases=["default"]) == []


@pytest.mark.django_db
def test_changed_time_zone(site):
    Writer.objects.create(site="test", time_zone="Europe/Berlin")
    Writer.objects.create(site="other", time_zone="UTC")
    (message,) = check_tables(databases=["default"])
    assert ids([message]) == ["E020"]
    assert "'Europe/Berlin'" in message.hint


@pytest.mark.django_db
def test_missing_and_disabled_schedule_entries(site):
    PeriodicTask.objects.filter(task="analytics.tasks.drain").delete()
    PeriodicTask.objects.filter(task="analytics.tasks.prune").update(enabled=False)
    assert ids(check_tables(databases=["default"])) == ["W020", "W020"]


@pytest.mark.django_db
def test_database_that_is_not_migrated(site):
    def no_tables(execute, sql, params, many, context):
        raise DatabaseError("no such table")

    with connection.execute_wrapper(no_tables):
        assert check_tables(databases=["default"]) == []


@pytest.mark.django_db
def test_plain_check_asks_no_database(site, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert check_tables(databases=None) == []
