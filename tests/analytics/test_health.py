"""The health's address: every part fails alone, and the answer never takes long."""

import json
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import OperationalError, connection
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from analytics.models import Producer
from analytics.reporting.health import (
    DRAIN_SECONDS,
    LAG_SECONDS,
    RedisWords,
    Ticks,
    beat_part,
    check_health,
    lag_part,
    worker_part,
)

pytestmark = pytest.mark.django_db
URL = "/healthz"
NOW = 1_800_000_000.0


def tick(seconds_ago=0.0):
    at = timezone.now() - timedelta(seconds=seconds_ago)
    PeriodicTask.objects.filter(task="analytics.tasks.drain").update(last_run_at=at)


@pytest.fixture
def healthy(site_stream):
    """A site where everything runs."""
    site_stream.finished()
    tick()
    return site_stream


def words(drained_at=None, head=None):
    return RedisWords(drained_at, {}, head, 0, {})


def test_all_is_well(healthy, client):
    response = client.get(URL)
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert response["Content-Type"] == "text/plain"
    assert "no-store" in response["Cache-Control"]


def test_it_has_a_name():
    assert reverse("analytics:health") == URL


def test_anonymous_may_ask_for_json_and_learns_no_more(healthy, client):
    response = client.get(URL, headers={"accept": "application/json"})
    assert response.json() == {"ok": True, "failing": []}


@pytest.mark.parametrize("accept", ["*/*", "text/html", "text/html,*/*;q=0.8", "x"])
def test_others_get_plain_text(healthy, client, accept):
    response = client.get(URL, headers={"accept": accept})
    assert response.content == b"ok\n"


def test_only_get_and_head(healthy, client):
    assert client.head(URL).status_code == 200
    assert client.post(URL).status_code == 405


def test_without_redis_what_it_would_tell_is_unknown(site, client):
    tick()
    response = client.get(URL)
    assert response.status_code == 503
    assert response.content == b"not ok: redis, worker, lag\n"


def test_hanging_redis_costs_less_than_a_second(site, own_valkey, client):
    site.ANALYTICS_REDIS_URL = own_valkey.url
    tick()
    own_valkey.hang()
    started = time.monotonic()
    response = client.get(URL)
    assert time.monotonic() - started < 1.0
    assert response.content == b"not ok: redis, worker, lag\n"


def test_unusable_redis_address_is_an_answer_too(site, client):
    site.ANALYTICS_REDIS_URL = "what://is.example.org"
    tick()
    assert client.get(URL).content == b"not ok: redis, worker, lag\n"


def test_worker_that_never_drained(site_stream, client):
    tick()
    assert client.get(URL).content == b"not ok: worker\n"


def test_beat_that_does_not_tick(healthy, client):
    tick(seconds_ago=3_600)
    assert client.get(URL).content == b"not ok: beat\n"


def test_disabled_schedule_does_not_tick(healthy, client):
    PeriodicTask.objects.update(enabled=False)
    assert client.get(URL).content == b"not ok: beat\n"


def test_beat_is_left_out_where_it_is_not_installed(healthy, settings):
    names = [name for name in settings.INSTALLED_APPS if name != "django_celery_beat"]
    apps.set_installed_apps(names)
    try:
        found = check_health()
    finally:
        apps.unset_installed_apps()
    assert found.ok
    assert [part.name for part in found.parts] == ["database", "redis", "worker", "lag"]


def test_waiting_events_are_a_lag(healthy, new_web, client):
    web = new_web()
    web.record(2, age=LAG_SECONDS + 30)
    web.ship()
    assert client.get(URL).content == b"not ok: lag\n"


def test_a_moment_of_waiting_is_no_lag(healthy, new_web, client):
    web = new_web()
    web.record(2)
    web.ship()
    assert client.get(URL).content == b"ok\n"


def test_counted_events_are_no_lag(healthy, new_web, drain, client):
    web = new_web()
    web.record(2, age=LAG_SECONDS + 30)
    web.ship()
    drain()
    assert client.get(URL).content == b"ok\n"


def test_lag_is_also_known_from_the_ledger_alone(healthy, client):
    long_ago = timezone.now() - timedelta(hours=2)
    Producer.objects.create(site="test", producer="gone", recorded=3, oldest=long_ago)
    assert client.get(URL).content == b"not ok: lag\n"


@contextmanager
def failing_sql(part=""):
    """Statements fail as after the server went away; only those with ``part``."""

    def run(execute, sql, params, many, context):
        if part in sql:
            raise OperationalError("server closed the connection")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(run):
        yield


@pytest.mark.parametrize("asking", ["client", "admin_client"])
def test_dead_database_is_an_answer(healthy, request, asking):
    """Also for somebody whose session is in that database."""
    browser = request.getfixturevalue(asking)
    with failing_sql():
        response = browser.get(URL)
    assert response.status_code == 503
    assert response.content == b"not ok: database, beat, lag\n"


def test_database_that_dies_half_way_makes_nobody_staff(healthy, admin_client):
    with failing_sql("django_session"):
        assert admin_client.get(URL).content == b"ok\n"


def test_staff_sees_the_numbers(healthy, new_web, drain, admin_client):
    web = new_web()
    web.record(3)
    web.ship()
    drain()
    web.record(2)
    web.ship()
    found = admin_client.get(URL).json()
    assert found["ok"] is True
    assert set(found["parts"]) == {"database", "redis", "worker", "beat", "lag"}
    ledger = {name: found[name] for name in ("recorded", "counted", "waiting")}
    assert ledger == {"recorded": 5, "counted": 3, "waiting": 2}
    assert (found["lost"], found["rejected"]) == (0, 0)
    assert 0 <= found["seconds_since_drain"] < 60
    assert 0 <= found["seconds_since_tick"] < 60
    assert 0 <= found["lag_s"] < 60
    assert found["redis"]["version"]
    assert found["redis"]["memory_bytes"] > 0
    assert found["redis"]["backlog_batches"] == 1


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}])
def test_who_is_no_staff_sees_no_numbers(healthy, admin_user, client, change):
    client.force_login(admin_user)
    type(admin_user).objects.filter(pk=admin_user.pk).update(**change)
    assert client.get(URL).content == b"ok\n"


def test_staff_learns_why_redis_fails_and_no_secret(site, admin_client):
    site.ANALYTICS_REDIS_URL = "redis://:sesame@127.0.0.1:1/0"
    response = admin_client.get(URL)
    assert response.status_code == 503
    found = response.json()
    assert found["parts"]["redis"]["ok"] is False
    assert found["parts"]["worker"]["ok"] is None
    assert found["lag_s"] is None
    assert "sesame" not in json.dumps(found)


def test_worker_may_be_as_late_as_a_long_drain():
    ticks = Ticks(last=NOW, shortest=2.0, drain=2.0)
    assert worker_part(words(NOW - DRAIN_SECONDS + 1), ticks, NOW).ok
    assert not worker_part(words(NOW - DRAIN_SECONDS - 1), ticks, NOW).ok


def test_worker_may_be_as_late_as_its_schedule():
    ticks = Ticks(last=NOW, shortest=300.0, drain=300.0)
    assert worker_part(words(NOW - 800), ticks, NOW).ok
    assert not worker_part(words(NOW - 1_000), ticks, NOW).ok


def test_beat_may_be_as_late_as_its_most_frequent_task():
    assert beat_part(Ticks(NOW - 800, 300.0, None), NOW).ok
    assert not beat_part(Ticks(NOW - 1_000, 300.0, None), NOW).ok


def test_head_of_the_stream_is_a_lag_whatever_the_ledger_says():
    assert lag_part(words(head=NOW - LAG_SECONDS + 1), [], NOW).ok
    assert not lag_part(words(head=NOW - LAG_SECONDS - 1), [], NOW).ok


def test_clock_of_another_machine_makes_no_negative_numbers():
    assert lag_part(words(head=NOW + 90), [], NOW).message.endswith("0 s")
