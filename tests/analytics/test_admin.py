"""The admin's lists: read-only, by permission, safe to look at, and quick."""

from datetime import UTC, datetime, timedelta
from html import escape

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from analytics.admin.base import COUNT_LIMIT, BoundedPaginator, number, span, visible
from analytics.models import Audience, DeadLetter, JobRun, Producer, Rollup, Site
from analytics.reporting.ledger import State, in_state, state_of
from analytics.rollup.buckets import Grain
from analytics.rollup.sketches import Histogram, Visitors
from celery_app import app
from dashboard.settings import broker_url
from products.models import Product

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"
MODELS = (Rollup, Producer, DeadLetter, JobRun)
DRAIN = "analytics.tasks.drain"
TEN = datetime(2026, 7, 1, 10, tzinfo=UTC)


def url(model, page="changelist", *arguments):
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=arguments)


def rollup(**values):
    visitors = Visitors()
    visitors.add_many((1, 2, 3))
    row = {
        "site": "test",
        "dimension": "route",
        "grain": int(Grain.HOUR),
        "bucket": TEN,
        "key": "/shop/",
        "audience": Audience.PEOPLE,
        "requests": 12_430,
        "views": 400,
        "bytes": 5 * 1024 * 1024,
        "duration": 12_430 * 2_000,
        "latency": Histogram.of([2_000] * 100),
        "visitors": visitors,
    }
    return Rollup.objects.create(**(row | values))


def line(name, *, hours=0.0, **values):
    seen = timezone.now() - timedelta(hours=hours)
    return Producer.objects.create(site="test", producer=name, seen=seen, **values)


def letter(**values):
    entry = {"kind": "body", "site": "test", "created": TEN, "entry": "1-0"}
    entry |= {"reason": "body is not zlib", "content": b"\x00abc"}
    return DeadLetter.objects.create(**(entry | values))


def run(**values):
    job = {"task": DRAIN, "started": TEN, "ended": TEN + timedelta(seconds=2)}
    job |= {"outcome": "done", "message": "12 events in 3 batches"}
    return JobRun.objects.create(**(job | values))


ONE_OF = {
    Rollup: lambda: rollup(key=HOSTILE),
    Producer: lambda: line(HOSTILE, host=HOSTILE, recorded=2),
    DeadLetter: lambda: letter(reason=HOSTILE, content=HOSTILE.encode()),
    JobRun: lambda: run(message=HOSTILE),
}


def body(response):
    assert response.status_code == 200
    return response.content.decode()


# All read-only lists.


@pytest.mark.parametrize("model", MODELS)
def test_hostile_text_is_only_text(admin_client, model):
    row = ONE_OF[model]()
    for address in (url(model), url(model, "change", row.pk)):
        text = body(admin_client.get(address))
        assert HOSTILE not in text
        assert escape(HOSTILE) in text or model is DeadLetter


@pytest.mark.parametrize("model", MODELS)
def test_nobody_adds_changes_or_deletes(admin_client, model):
    row = ONE_OF[model]()
    assert admin_client.get(url(model, "add")).status_code == 403
    assert admin_client.post(url(model, "delete", row.pk)).status_code == 403
    assert admin_client.post(url(model, "change", row.pk)).status_code == 403
    assert 'name="_save"' not in body(admin_client.get(url(model, "change", row.pk)))


@pytest.mark.parametrize("model", MODELS)
def test_view_permission_is_enough_and_needed(member, model):
    browser = member(f"view_{model._meta.model_name}")
    for other in MODELS:
        expected = 200 if other is model else 403
        assert browser.get(url(other)).status_code == expected


@pytest.mark.parametrize("model", MODELS)
def test_empty_list_says_why(admin_client, model):
    model.objects.all().delete()
    text = admin.site.get_model_admin(model).empty_text
    assert text
    assert escape(str(text)) in body(admin_client.get(url(model)))


@pytest.mark.parametrize("model", MODELS)
def test_list_that_a_filter_emptied_says_something_else(admin_client, model):
    text = str(admin.site.get_model_admin(model).empty_text)
    assert escape(text) not in body(admin_client.get(url(model) + "?q=nothing"))


@pytest.mark.parametrize("model", MODELS)
def test_number_of_queries_does_not_grow_with_the_rows(
    admin_client, model, django_assert_max_num_queries
):
    ONE_OF[model]()
    for count in range(20):
        if model is Producer:
            line(f"p{count}")
        elif model is Rollup:
            rollup(key=f"/{count}/")
        else:
            ONE_OF[model]()
    with django_assert_max_num_queries(9):
        admin_client.get(url(model))


def test_counting_ends_somewhere():
    JobRun.objects.bulk_create(
        JobRun(task=DRAIN, started=TEN) for _ in range(COUNT_LIMIT + 5)
    )
    rows = JobRun.objects.order_by("pk")
    count = BoundedPaginator(rows, 50).count
    assert count == COUNT_LIMIT
    assert str(count) == f"{number(COUNT_LIMIT)} or more"


@pytest.mark.parametrize("model", MODELS)
def test_no_address_makes_filters_count_the_whole_table(
    admin_client, model, django_assert_num_queries
):
    ONE_OF[model]()
    with CaptureQueriesContext(connection) as usual:
        page = admin_client.get(url(model))
    assert "_facets" not in body(page)
    with django_assert_num_queries(len(usual)):
        admin_client.get(url(model) + "?_facets=True")


# Rollups.


def test_rollup_in_words(admin_client, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    rollup()
    text = body(admin_client.get(url(Rollup)))
    for words in ("2026-07-01 12:00", "12\u202f430", "2 ms", "5.0\xa0MB", "/shop/"):
        assert words in text, words
    assert '<td class="field-visitors_number">3</td>' in text


def test_days_have_no_time(admin_client):
    rollup(grain=int(Grain.DAY), bucket=datetime(2026, 7, 1, tzinfo=UTC))
    assert ">2026-07-01<" in body(admin_client.get(url(Rollup)))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("dimension=route", {"/shop/"}),
        ("dimension=method", {"GET"}),
        ("grain__exact=2", {"GET"}),
        ("audience__exact=1", {"GET"}),
        ("q=sho", {"/shop/"}),
        ("", {"/shop/", "GET"}),
    ],
)
def test_rollup_filters(admin_client, query, shown):
    rollup()
    rollup(dimension="method", key="GET", grain=int(Grain.DAY), audience=1)
    found = admin_client.get(f"{url(Rollup)}?{query}").context["cl"].result_list
    assert {row.key for row in found} == shown


def test_sites_are_a_filter_where_there_are_several(admin_client):
    rollup()
    rollup(site="other")
    response = admin_client.get(url(Rollup))
    assert "By site" not in body(response)
    assert [row.site for row in response.context["cl"].result_list] == ["test"]
    Site.objects.create(name="other")
    response = admin_client.get(url(Rollup) + "?site=other")
    assert "By site" in body(response)
    assert [row.site for row in response.context["cl"].result_list] == ["other"]


def test_an_unknown_site_leads_to_our_own_with_a_message(admin_client):
    rollup()
    response = admin_client.get(url(Rollup) + "?site=nowhere", follow=True)
    assert "There is no site of this name" in body(response)
    assert [row.site for row in response.context["cl"].result_list] == ["test"]


def test_rollup_without_sketches(admin_client):
    row = rollup(latency=Histogram(), visitors=Visitors(), requests=0, duration=0)
    assert body(admin_client.get(url(Rollup, "change", row.pk))).count("–") >= 3


# The ledger.


@pytest.fixture
def ledger():
    line("live", recorded=5, expected=5, counted=5)
    line("waiting", recorded=5, expected=4, counted=4)
    line("silent", hours=2, recorded=5, expected=4, counted=4)
    line("quiet", hours=50, recorded=5, expected=5, counted=5)
    line("closed", closed=True, recorded=5, expected=5, counted=3, lost=2)
    line("closing", closed=True, recorded=5, expected=4, counted=4)
    line("missing", hours=50, recorded=9, expected=6, counted=5, rejected=1)
    line("lost", hours=50, closed=True, recorded=9)
    Producer.objects.create(site="test", producer="unheard", recorded=1)
    Producer.objects.create(site="test", producer="unheard-idle")


STATES = {
    "live": {"live", "waiting"},
    "silent": {"silent", "quiet", "unheard-idle"},
    "closed": {"closed", "closing"},
    "missing": {"missing", "lost", "unheard"},
}


@pytest.mark.parametrize("state", State.values)
def test_state_is_the_same_in_sql_and_for_a_line(ledger, state):
    now = timezone.now()
    in_sql = in_state(Producer.objects.all(), state, now)
    alone = {p.producer for p in Producer.objects.all() if state_of(p, now) == state}
    assert {line.producer for line in in_sql} == alone == STATES[state]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("state=missing", STATES["missing"]),
        ("state=nonsense", set().union(*STATES.values())),
        ("losses=yes", {"closed", "missing"}),
        ("losses=no", set().union(*STATES.values()) - {"closed", "missing"}),
    ],
)
def test_ledger_filters(admin_client, ledger, query, shown):
    found = admin_client.get(f"{url(Producer)}?{query}").context["cl"].result_list
    assert {line.producer for line in found} == shown


def test_totals_stand_above_the_ledger(admin_client, ledger):
    totals = admin_client.get(url(Producer)).context["totals"]
    found = {name: text for _label, text, name in totals}
    assert found == {
        "recorded": "49",
        "counted": "30",
        "waiting": "16",
        "lost": "2",
        "rejected": "1",
    }


def test_missing_producer_says_what_to_do(admin_client):
    missing = line("missing", hours=50, recorded=9)
    text = body(admin_client.get(url(Producer, "change", missing.pk)))
    assert "analytics_status --write-off missing" in text
    alive = line("live", recorded=9)
    text = body(admin_client.get(url(Producer, "change", alive.pk)))
    assert "write-off" not in text


# Dead letters and job runs.


def test_content_of_a_dead_letter_is_escaped_and_cut(admin_client):
    content = b"\x1b[2J\x00\xff" + HOSTILE.encode() + b"x" * 3_000
    found = letter(content=content)
    text = body(admin_client.get(url(DeadLetter, "change", found.pk)))
    assert escape(HOSTILE) in text
    assert r"\x1b[2J\x00\xff" in text
    assert f"… and {len(content) - 2_000} bytes more" in text
    assert "x" * 2_001 not in text


def test_list_of_dead_letters_leaves_the_content_in_the_database(admin_client):
    letter(content=b"z" * 4_096)
    with connection.execute_wrapper(refuse("content")):
        body(admin_client.get(url(DeadLetter)))


def refuse(column):
    def execute_it(execute, sql, params, many, context):
        assert f'"analytics_deadletter"."{column}"' not in sql
        return execute(sql, params, many, context)

    return execute_it


def test_job_run_in_words(admin_client):
    run()
    run(ended=None, outcome="running", message="")
    run(ended=TEN + timedelta(minutes=5))
    run(ended=TEN + timedelta(milliseconds=45), outcome="failed")
    text = body(admin_client.get(url(JobRun)))
    for words in ("45 ms", "2.0 s", "5 min", "12 events in 3 batches", "running", "–"):
        assert words in text, words


@pytest.mark.parametrize(
    ("query", "shown"),
    [(f"task={DRAIN}", {DRAIN}), ("outcome__exact=failed", {"analytics.tasks.prune"})],
)
def test_job_run_filters(admin_client, query, shown):
    run()
    run(task="analytics.tasks.prune", outcome="failed")
    found = admin_client.get(f"{url(JobRun)}?{query}").context["cl"].result_list
    assert {job.task for job in found} == shown


# The schedule.

LIST = "admin:django_celery_beat_periodictask_changelist"


@pytest.fixture
def broker(monkeypatch, site_stream):
    """The project's Celery sends to a Redis of the test's own."""
    monkeypatch.setattr(app.conf, "broker_write_url", broker_url(site_stream.url))
    return site_stream.client


@pytest.fixture
def drain_task():
    return PeriodicTask.objects.get(task=DRAIN)


def run_url(task):
    return reverse("admin:analytics_schedule_run", args=[task.pk])


def said(response):
    return [str(message) for message in response.context["messages"]]


def cell(browser, task, column):
    """The text that the schedule's list shows of a task."""
    model_admin = admin.site.get_model_admin(PeriodicTask)
    body(browser.get(reverse(LIST)))
    task.refresh_from_db()
    return getattr(model_admin, column)(task)


def test_schedule_shows_what_ran_and_what_is_next(admin_client, drain_task):
    now = timezone.now()
    drain_task.last_run_at = now - timedelta(seconds=1)
    drain_task.save()
    run(started=now - timedelta(minutes=10), message="12 430 events in 3 batches")
    assert cell(admin_client, drain_task, "interval_text") == "every 2 seconds"
    assert cell(admin_client, drain_task, "last") in {"1 s ago", "2 s ago"}
    outcome = cell(admin_client, drain_task, "outcome")
    assert "12 430 events in 3 batches" in outcome
    assert "10 min ago" in outcome
    assert cell(admin_client, drain_task, "next") in {"in 1 s", "in 0 s", "due"}


def test_quiet_task_ran_although_it_wrote_no_record(admin_client, drain_task):
    assert cell(admin_client, drain_task, "last") == "not yet"
    assert cell(admin_client, drain_task, "outcome") == "–"
    PeriodicTask.objects.update(last_run_at=timezone.now())
    assert cell(admin_client, drain_task, "last") == "0 s ago"
    assert cell(admin_client, drain_task, "outcome") == "nothing to report"


def test_failed_run_is_shown_with_its_hostile_text_escaped(admin_client, drain_task):
    run(outcome="failed", message=HOSTILE)
    text = body(admin_client.get(reverse(LIST)))
    assert escape(HOSTILE) in text
    assert HOSTILE not in text


def test_disabled_task_never_runs(admin_client, drain_task):
    PeriodicTask.objects.update(enabled=False)
    assert cell(admin_client, drain_task, "next") == "never: disabled"


def test_run_now_is_sent_audited_and_told(admin_client, broker, drain_task):
    response = admin_client.post(run_url(drain_task), follow=True)
    assert said(response) == ["“Count waiting requests” was sent to the queue “drain”."]
    assert broker.llen("drain") == 1
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_id) == ("admin", str(drain_task.pk))
    assert entry.get_change_message() == "Run now: sent to the queue drain."


def test_run_now_is_a_post_with_a_token(admin_user, client, broker, drain_task):
    client.force_login(admin_user)
    assert client.get(run_url(drain_task)).status_code == 405
    client.handler.enforce_csrf_checks = True
    assert client.post(run_url(drain_task)).status_code == 403
    assert broker.llen("drain") == 0


def test_run_now_needs_the_permission_to_change(member, broker, drain_task):
    browser = member("view_periodictask")
    assert browser.post(run_url(drain_task)).status_code == 403
    assert run_url(drain_task) not in body(browser.get(reverse(LIST)))
    assert broker.keys() == []


def test_viewer_cannot_switch_tasks_off(member, drain_task):
    browser = member("view_periodictask")
    data = {"action": "disable_tasks", "_selected_action": [drain_task.pk]}
    browser.post(reverse(LIST), data)
    drain_task.refresh_from_db()
    assert drain_task.enabled


def test_run_now_of_a_task_that_is_not_ours(admin_client, broker):
    foreign = PeriodicTask.objects.get(task="analytics.tasks.prune")
    PeriodicTask.objects.filter(pk=foreign.pk).update(task="celery.backend_cleanup")
    text = body(admin_client.get(reverse(LIST)))
    assert run_url(foreign) not in text
    response = admin_client.post(run_url(foreign), follow=True)
    assert "can only be run by its schedule" in said(response)[0]
    assert broker.keys() == []
    assert not LogEntry.objects.exists()


def test_run_now_of_a_task_that_is_gone(admin_client, broker, drain_task):
    address = run_url(drain_task)
    drain_task.delete()
    response = admin_client.post(address, follow=True)
    assert "doesn’t exist" in said(response)[0]


def test_run_now_without_a_broker(admin_client, drain_task, monkeypatch):
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    (message,) = said(admin_client.post(run_url(drain_task), follow=True))
    assert "was not started: the broker did not take it" in message
    assert "Is Redis running?" in message
    assert not LogEntry.objects.exists()


def test_run_selected_tasks(admin_client, broker):
    tasks = PeriodicTask.objects.filter(task__startswith="analytics.")
    data = {"action": "run_tasks", "_selected_action": [task.pk for task in tasks]}
    response = admin_client.post(reverse(LIST), data, follow=True)
    assert len(said(response)) == 2
    assert (broker.llen("drain"), broker.llen("jobs")) == (1, 1)


def test_buttons_are_in_list_and_form(admin_client, drain_task):
    form = reverse("admin:django_celery_beat_periodictask_change", args=[drain_task.pk])
    for address in (reverse(LIST), form):
        assert run_url(drain_task) in body(admin_client.get(address))


def test_form_has_no_inline_script(admin_client, drain_task):
    form = reverse("admin:django_celery_beat_periodictask_change", args=[drain_task.pk])
    text = body(admin_client.get(form))
    for part in text.split("<script")[1:]:
        assert "src=" in part.split(">")[0]
    assert "style=" not in text


def test_edited_interval_is_kept_by_the_form(admin_client, drain_task):
    """The form saves although the package's own script is not there."""
    form = reverse("admin:django_celery_beat_periodictask_change", args=[drain_task.pk])
    found = admin_client.get(form).context["adminform"].form
    data = {name: found[name].value() for name in found.fields}
    data = {name: "" if value is None else value for name, value in data.items()}
    data |= {"name": "Mine", "start_time_0": "", "start_time_1": ""}
    data |= {"expires_0": "", "expires_1": ""}
    response = admin_client.post(form, data)
    assert response.status_code == 302
    call_command("migrate", verbosity=0)
    assert PeriodicTask.objects.get(task=DRAIN).name == "Mine"


# Words.


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (200_000, "2 d")],
)
def test_spans(seconds, words):
    assert span(timedelta(seconds=seconds)) == words


def test_numbers():
    assert [number(value) for value in (0, 999, 12_430)] == ["0", "999", "12\u202f430"]


def test_what_does_not_print_is_made_visible():
    assert visible("a\x00\u202eb\nc") == "a\\x00\\u202eb\nc"


def test_a_key_is_shown_with_its_label(admin_client, catalogue):
    pen = Product.objects.get(slug="brass-pen")
    rollup(dimension="product", key=str(pen.pk))
    text = body(admin_client.get(url(Rollup)))
    assert f"Brass Pen ({pen.pk})" in text


def test_rollups_of_a_time(admin_client):
    rollup(key="/now/", bucket=timezone.now())
    rollup(key="/then/", bucket=timezone.now() - timedelta(days=40))
    since = str(timezone.now() - timedelta(days=7))
    text = body(admin_client.get(url(Rollup), {"bucket__gte": since}))
    assert "/now/" in text
    assert "/then/" not in text
    assert "Past 7 days" in text
