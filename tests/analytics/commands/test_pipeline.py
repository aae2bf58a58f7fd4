"""The commands that ship and drain without web process and without Celery."""

import pytest
from django.core.management import CommandError, call_command

from analytics.models import Producer
from analytics.rollup import job


@pytest.fixture(autouse=True)
def fresh_job():
    """The job keeps its connections between runs; each test has its own server."""
    job._jobs.clear()
    yield
    for one in job._jobs.values():
        one.shipper.release()
    job._jobs.clear()


def killed(web):
    """The process is gone; its journal lies there, its lock free."""
    web.journal.abandon()
    return web.producer


@pytest.mark.django_db
def test_drain_once_counts_all_and_clears_the_dead_journal(new_web, site, capsys):
    web = new_web()
    web.record(7)
    directory = web.journal.directory
    producer = killed(web)
    call_command("analytics_drain", "--once")
    assert "7 events in 1 batch" in capsys.readouterr().out
    line = Producer.objects.get(producer=producer)
    assert (line.counted, line.waiting, line.closed) == (7, 0, True)
    assert not directory.exists()


@pytest.mark.django_db
def test_drain_says_what_to_expect_when_redis_is_away(site):
    site.ANALYTICS_REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(CommandError, match=r"Redis did not answer.*Nothing is lost"):
        call_command("analytics_drain", "--once")


def test_ship_sends_what_a_dead_process_left(new_web, site_stream, capsys):
    web = new_web()
    web.record(1_500)
    killed(web)
    call_command("analytics_ship")
    assert "Journals of 1 ended processes sent." in capsys.readouterr().out
    assert sum(entry.count for entry in site_stream.read(10)) == 1_500


def test_ship_leaves_the_journal_of_a_live_process_alone(new_web, site_stream, capsys):
    web = new_web()
    web.record(3)
    call_command("analytics_ship")
    assert "Journals of 0 ended processes sent." in capsys.readouterr().out
    assert site_stream.backlog() == 0


def test_ship_once_fails_with_advice_when_redis_is_away(new_web, site):
    web = new_web()
    web.record(3)
    directory = web.journal.directory
    killed(web)
    site.ANALYTICS_REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(CommandError, match="The journals stay on disk"):
        call_command("analytics_ship", "--once")
    assert directory.exists()


def test_ship_once_fails_with_advice_when_the_stream_is_full(new_web, site):
    web = new_web()
    web.record(2_500)
    killed(web)
    site.ANALYTICS_STREAM_MAX_BATCHES = 1
    with pytest.raises(CommandError, match="1500 events stay on disk"):
        call_command("analytics_ship", "--once")
