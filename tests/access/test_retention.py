"""What is pruned, and the entry of the schedule that does it."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from oauth2_provider.models import AccessToken, RefreshToken
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from access import jwt, retention, schedule, tasks
from access.models import ApiToken, Grant, SignIn
from analytics.models import JobRun
from tests.access.oauth.dancing import Dance, register, register_machine

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def line(age: timedelta) -> SignIn:
    when = timezone.now() - age
    return SignIn.objects.create(kind=SignIn.Kind.LOGIN, when=when)


def test_lines_and_ended_tokens_go_after_ninety_days(make_token):
    now = timezone.now()
    kept = [line(89 * DAY), line(0 * DAY)]
    line(91 * DAY)
    good, _text = make_token(created=now - 400 * DAY)
    lately, _text = make_token(expires=now - 89 * DAY)
    make_token(expires=now - 91 * DAY)
    make_token(revoked=now - 91 * DAY)
    said = retention.prune()
    assert said.startswith("1 sign-ins, 2 API tokens, 0 web tokens")
    assert set(SignIn.objects.all()) == set(kept)
    assert set(ApiToken.objects.all()) == {good, lately}


def test_table_stays_bounded(monkeypatch):
    monkeypatch.setattr(retention, "LINES_LIMIT", 3)
    lines = [line(hours * DAY / 24) for hours in range(6)]
    retention.prune()
    assert set(SignIn.objects.all()) == set(lines[:3])


def test_batches_delete_all_of_it(monkeypatch):
    monkeypatch.setattr(retention, "BATCH_ROWS", 2)
    for _ in range(5):
        line(100 * DAY)
    assert retention.prune().startswith("5 sign-ins")


def test_what_oauth_left_goes(analyst, client, later):
    client.force_login(analyst)
    dance = Dance(client, *register())
    machine = Dance(client, *register_machine(analyst))
    machine.ask({"grant_type": "client_credentials"})
    dance.code()
    live = dance.tokens()
    later(timedelta(minutes=11))
    assert "1 OAuth grants" in retention.prune()
    # Of the one that lasts the access token stays, to tell when it was given.
    assert Grant.objects.count() == AccessToken.objects.count() == 1
    live = dance.refresh(live["refresh_token"]).json()
    assert RefreshToken.objects.count() == 2
    later(timedelta(days=15))
    assert "1 OAuth grants" in retention.prune()
    kept = (Grant.objects, AccessToken.objects, RefreshToken.objects)
    assert [rows.count() for rows in kept] == [0, 0, 0]
    assert dance.refresh(live["refresh_token"]).status_code == 400


def test_what_served_its_time_goes(analyst, client):
    jwt.RefreshToken.issue(analyst, ["analytics:read"]).use_up()
    OutstandingToken.objects.update(expires_at=timezone.now() - DAY)
    jwt.RefreshToken.issue(analyst, ["analytics:read"])
    client.force_login(analyst)
    Session.objects.update(expire_date=timezone.now() - DAY)
    attempt = AccessAttempt.objects.create(failures_since_start=1)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    AccessAttempt.objects.create(failures_since_start=1, user_agent="another")
    retention.prune()
    assert OutstandingToken.objects.count() == 1
    assert not Session.objects.exists()
    assert attempt.pk not in AccessAttempt.objects.values_list("pk", flat=True)
    assert AccessAttempt.objects.count() == 1


def test_task_leaves_a_job_run():
    said = tasks.prune()
    run = JobRun.objects.get()
    assert (run.task, run.message, run.outcome) == ("access.tasks.prune", said, "done")


def test_entry_is_added_once_and_stays_as_staff_left_it():
    entry = PeriodicTask.objects.get(task="access.tasks.prune")
    assert (entry.queue, entry.interval.every, entry.interval.period) == (
        "jobs",
        1,
        "hours",
    )
    PeriodicTask.objects.filter(pk=entry.pk).update(name="Ours", enabled=False)
    schedule.seed()
    assert PeriodicTask.objects.filter(task="access.tasks.prune").count() == 1
    entry.delete()
    schedule.seed()
    again = PeriodicTask.objects.get(task="access.tasks.prune")
    assert again.name == schedule.ENTRY.name
