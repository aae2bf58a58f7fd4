"""The drain is killed, doubled, delivered five times: the numbers stay right."""

import signal

import pytest
from celery import Celery

from dashboard.settings import broker_url
from tests.acceptance.marks import ON_BOTH

TASK = "analytics.tasks.drain"


def send_drains(site, number):
    with Celery(broker=broker_url(site.valkey.url), set_as_current=False) as app:
        for _ in range(number):
            app.send_task(TASK, queue="drain")


@ON_BOTH
@pytest.mark.parametrize(
    ("place", "committed"),
    [
        ("drain-before-write", False),
        ("drain-before-commit", False),
        ("drain-after-commit", True),
        ("drain-after-publish", True),
    ],
)
def test_drain_killed(site, place, committed):
    web = site.start_web()
    outcome = web.requests(260)
    site.wait_shipped(260)
    flag = site.folder / "kill"
    flag.touch()

    status = site.command(
        "analytics_drain", "--once", ANALYTICS_FAIL_POINT=f"{place}:{flag}"
    )

    assert status == -signal.SIGKILL
    assert site.total() == (260 if committed else 0)
    outcome += web.requests(130)
    site.wait_shipped(130)
    site.drain()
    site.wait_settled(390)
    site.assert_exactly(outcome)


def test_worker_killed_again_and_again(site):
    """Celery's own child dies in the middle of a task, under load, and is replaced."""
    flag = site.folder / "kill"
    site.start_beat()
    fail_point = f"drain-before-commit:{flag}"
    site.start_worker(pool="prefork", ANALYTICS_FAIL_POINT=fail_point)
    web = site.start_web()
    with web.load(clients=2) as load:
        for _ in range(3):
            flag.touch()
            site.wait_for(lambda: not flag.exists(), "the drain is killed")
        outcome = load.stop()

    site.wait_settled(outcome.sent)
    site.assert_exactly(outcome)


@ON_BOTH
def test_drain_delivered_five_times_at_once(site):
    web = site.start_web()
    outcome = web.requests(1_300)
    site.wait_shipped(1_300)
    send_drains(site, 5)
    worker = site.start_worker(concurrency=5, pool="prefork")

    done = "succeeded in"
    site.wait_for(lambda: worker.said().count(done) == 5, "five drains end")
    site.wait_settled(1_300)
    site.assert_exactly(outcome)


def test_two_beats(site):
    beats = [site.start_beat(), site.start_beat()]
    worker = site.start_worker(concurrency=2)
    web = site.start_web()
    with web.load(clients=2) as load:
        for beat in beats:
            site.wait_for(lambda b=beat: b.said().count(TASK) > 2, "both beats send")
        outcome = load.stop()

    site.wait_settled(outcome.sent)
    site.assert_exactly(outcome)
    assert "succeeded in" in worker.said()
