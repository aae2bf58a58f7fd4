"""The schedule: seeded once, the staff's ever after, and run now by hand."""

import time
from datetime import timedelta

import pytest
from celery import current_app
from django.core.management import call_command
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from analytics import schedule, tasks
from celery_app import app
from dashboard.settings import broker_url

pytestmark = pytest.mark.django_db
DRAIN = "analytics.tasks.drain"
# Beat closes connections that it did not open.
BEAT = pytest.mark.django_db(transaction=True)


@pytest.fixture
def celery(monkeypatch):
    """The project's Celery app with a broker of the test's choice."""

    def use(url):
        monkeypatch.setattr(app.conf, "broker_url", broker_url(url))
        monkeypatch.setattr(app.conf, "broker_write_url", broker_url(url))
        return app

    return use


def the_drain():
    return PeriodicTask.objects.get(task=DRAIN)


def restart_beat():
    """What beat does when it starts."""
    scheduler = DatabaseScheduler(app=app)
    entries = scheduler.schedule
    scheduler.sync()
    return entries


def test_every_entry_is_seeded():
    found = {
        (task.name, task.task, task.interval.schedule.run_every, task.queue)
        for task in PeriodicTask.objects.filter(enabled=True)
        # Other apps have entries of their own.
        if task.task.startswith("analytics.")
    }
    assert found == {
        (entry.name, entry.task, entry.every, entry.queue)
        for entry in schedule.SCHEDULE
    }


def test_ticks_expire():
    assert the_drain().expire_seconds == 10


def test_every_entry_names_a_task():
    for entry in schedule.SCHEDULE:
        assert getattr(tasks, entry.task.rpartition(".")[2]).name == entry.task


def test_each_task_is_sent_to_a_queue_that_the_procfile_serves():
    assert {entry.queue for entry in schedule.SCHEDULE} == {"drain", "jobs"}


@BEAT
def test_edits_survive_migrate_and_a_restart_of_beat():
    slower = IntervalSchedule.objects.create(every=7, period="minutes")
    PeriodicTask.objects.filter(task=DRAIN).update(
        name="My drain", interval=slower, queue="other", enabled=False
    )
    call_command("migrate", verbosity=0)
    restart_beat()
    task = the_drain()
    assert (task.name, task.interval, task.queue) == ("My drain", slower, "other")
    assert not task.enabled


@BEAT
def test_edited_interval_survives_too():
    """Staff may as well edit the interval that the entry points to."""
    IntervalSchedule.objects.update(every=9)
    call_command("migrate", verbosity=0)
    restart_beat()
    assert the_drain().interval.every == 9
    assert set(IntervalSchedule.objects.values_list("every", flat=True)) == {9}


@BEAT
def test_beat_runs_what_was_seeded():
    entry = restart_beat()["Count waiting requests"]
    assert entry.schedule.run_every == timedelta(seconds=2)
    assert entry.options["queue"] == "drain"


def test_deleted_entry_comes_back_with_migrate():
    the_drain().delete()
    call_command("migrate", verbosity=0)
    assert the_drain().enabled


def test_equal_intervals_do_not_disturb_seeding():
    PeriodicTask.objects.all().delete()
    IntervalSchedule.objects.create(every=2, period="seconds")
    schedule.seed()
    assert the_drain().interval.every == 2


def test_next_run_follows_the_last():
    task = the_drain()
    task.last_run_at = timezone.now()
    assert schedule.next_run(task) == task.last_run_at + timedelta(seconds=2)


def test_disabled_entry_has_no_next_run():
    assert schedule.next_run(PeriodicTask(enabled=False)) is None


def test_next_run_of_a_crontab():
    crontab = CrontabSchedule.objects.create(minute="0", hour="4")
    task = PeriodicTask(task="x", crontab=crontab, last_run_at=timezone.now())
    wait = schedule.next_run(task) - timezone.now()
    assert timedelta() < wait <= timedelta(days=1)


def test_run_now_puts_the_task_into_its_queue(celery, site_stream):
    celery(site_stream.url)
    assert schedule.run_now(the_drain()) == "drain"
    (message,) = site_stream.client.lrange("drain", 0, -1)
    assert b'"task": "analytics.tasks.drain"' in message
    assert b'"expires": "' in message


def test_run_now_uses_the_queue_that_staff_chose(celery, site_stream):
    celery(site_stream.url)
    task = the_drain()
    task.queue = "elsewhere"
    assert schedule.run_now(task) == "elsewhere"
    assert site_stream.client.llen("elsewhere") == 1


@pytest.mark.parametrize("name", ["celery.backend_cleanup", "os.system", ""])
def test_only_our_tasks_are_run_now(celery, site_stream, name):
    celery(site_stream.url)
    with pytest.raises(ValueError, match="not a task of this schedule"):
        schedule.run_now(PeriodicTask(task=name, queue="drain"))
    assert site_stream.client.keys() == []


def test_run_now_gives_up_when_nobody_listens(celery):
    celery("redis://:sesame@127.0.0.1:1/0")
    started = time.monotonic()
    with pytest.raises(schedule.BrokerError) as caught:
        schedule.run_now(the_drain())
    assert time.monotonic() - started < 4
    assert "sesame" not in str(caught.value)


def test_run_now_gives_up_when_the_broker_hangs(celery, own_valkey):
    celery(own_valkey.url)
    own_valkey.hang()
    started = time.monotonic()
    with pytest.raises(schedule.BrokerError):
        schedule.run_now(the_drain())
    assert time.monotonic() - started < 4


def test_app_is_the_projects_own_in_every_thread():
    from threading import Thread

    seen = []
    thread = Thread(target=lambda: seen.append(current_app.main))
    thread.start()
    thread.join()
    assert seen == ["dashboard"]
