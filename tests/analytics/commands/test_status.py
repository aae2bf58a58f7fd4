"""``analytics_status``: the ledger made fresh, and the write-off."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from analytics.conf import get_config
from analytics.models import Producer, Rollup, Site
from analytics.recording.folder import list_segments, segment_path
from analytics.recording.journal import Journal
from analytics.rollup.buckets import Grain
from tests.analytics.recording.events import line

pytestmark = pytest.mark.django_db
KEYS = [
    "recorded",
    "counted",
    "waiting",
    "lost",
    "rejected",
    "oldest_waiting_s",
    "producers",
]


def run(*words):
    """What the command printed, and what it complained of."""
    out, err = StringIO(), StringIO()
    call_command("analytics_status", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def status():
    return json.loads(run("--json")[0])


def assert_status(**expected):
    found = status()
    assert {name: found[name] for name in expected} == expected
    parts = ("counted", "waiting", "lost", "rejected")
    assert found["recorded"] == sum(found[name] for name in parts)


def missing_line(**values):
    """A producer of another machine, last heard of two days ago."""
    long_ago = timezone.now() - timedelta(days=2)
    line = {"site": "test", "producer": "gone", "host": "web1.example.org", "pid": 9}
    line |= {"seen": long_ago, "recorded": 10, "expected": 4, "counted": 4}
    return Producer.objects.create(**(line | values))


def counted():
    rows = Rollup.objects.of("test", "total", Grain.DAY)
    return sum(row.requests for row in rows)


def test_keys_are_exactly_these(site_stream):
    assert list(status()) == [*KEYS, "sites", "sites_waiting"]


def test_empty_ledger(site_stream):
    found = status()
    assert {found[name] for name in KEYS} == {0, None}
    assert found["sites"] == {"test": {name: found[name] for name in KEYS}}


def test_what_is_only_in_the_journal_waits(site_stream, new_web):
    new_web().record(3, age=30)
    assert_status(recorded=3, waiting=3, counted=0, producers=1)
    assert 29 <= status()["oldest_waiting_s"] < 60


def test_what_is_in_the_stream_waits(site_stream, new_web):
    web = new_web()
    web.record(3)
    web.ship()
    assert_status(recorded=3, waiting=3)


def test_redis_knows_of_other_machines(site_stream, new_web, site, tmp_path):
    web = new_web()
    web.record(3)
    web.ship()
    site.ANALYTICS_JOURNAL_DIR = str(tmp_path / "another-machine")
    assert_status(recorded=3, waiting=3, producers=1)


def test_what_is_drained_is_counted(site_stream, new_web, drain):
    web = new_web()
    web.record(3)
    web.ship()
    drain()
    web.record(2)
    assert_status(recorded=5, counted=3, waiting=2)


def test_journals_of_the_dead_are_seen_and_left_alone(site_stream, new_web):
    web = new_web()
    web.record(2)
    web.end()
    before = sorted(path.name for path in get_config().recorder.journal_dir.rglob("*"))
    assert_status(recorded=2, waiting=2)
    after = sorted(path.name for path in get_config().recorder.journal_dir.rglob("*"))
    assert after == before


def test_table_says_what_lies_on_this_machines_disk(site_stream, new_web):
    web = new_web()
    web.record(2)
    out, _err = run()
    (row,) = [line for line in out.splitlines() if web.producer in line]
    assert row.split()[-7:] == ["live", "2", "0", "2", "2", "0", "0"]


def test_lost_events_are_shown(site_stream, new_web, drain):
    web = new_web()
    web.record(4)
    (segment,) = list_segments(web.journal.directory)
    segment_path(web.journal.directory, segment).unlink()
    web.ship()
    drain()
    assert_status(recorded=4, counted=0, lost=4, waiting=0)
    assert web.producer in run()[0]


def test_counted_producers_fill_no_table(site_stream, new_web, drain):
    web = new_web()
    web.record(1)
    web.ship()
    drain()
    assert web.producer not in run()[0]


def test_without_redis_the_ledger_and_the_disk_still_speak(site, new_web, drain):
    web = new_web()
    web.record(2)
    web.ship()
    drain()
    web.record(1)
    site.ANALYTICS_REDIS_URL = "redis://127.0.0.1:1/0"
    out, err = run("--json")
    assert json.loads(out)["recorded"] == 3
    assert "Redis did not answer" in err


def test_without_a_database_there_is_a_sentence(site_stream):
    def fail(execute, sql, params, many, context):
        raise OperationalError("connection refused")

    with (
        connection.execute_wrapper(fail),
        pytest.raises(CommandError, match="Is the database running and migrated"),
    ):
        run()


def test_missing_producer_comes_with_advice(site_stream):
    missing_line()
    out, _err = run()
    assert "gone is missing with 6 events" in out
    assert "run analytics_ship there" in out
    assert "analytics_status --write-off gone" in out


def test_hostile_names_do_not_steer_the_terminal(site_stream):
    missing_line(host="\x1b[2Jevil")
    assert "\x1b" not in run()[0]


def test_folded_line_is_no_producer(site_stream):
    folded = {"producer": Producer.FOLDED, "closed": True, "expected": 5, "counted": 5}
    Producer.objects.create(site="test", recorded=5, **folded)
    assert_status(recorded=5, counted=5, producers=0)


def test_other_sites_are_not_ours(site_stream):
    missing_line(site="other")
    assert_status(recorded=0, producers=0)


def test_write_off_turns_waiting_into_lost(site_stream):
    missing_line()
    out, _err = run("--write-off", "gone")
    assert "6 events of gone are written off as lost" in out
    assert_status(recorded=10, counted=4, lost=6, waiting=0)
    assert site_stream.expected("gone") == 10


def test_write_off_needs_no_redis(site):
    missing_line()
    _out, err = run("--write-off", "gone")
    assert "That changes nothing" in err
    assert Producer.objects.get().lost == 6


def test_write_off_of_somebody_unknown(site_stream):
    with pytest.raises(CommandError, match="no producer 'nobody'"):
        run("--write-off", "nobody")


def test_write_off_of_nothing(site_stream):
    missing_line(recorded=4)
    with pytest.raises(CommandError, match="Nothing of gone is waiting"):
        run("--write-off", "gone")


def test_write_off_of_somebody_heard_of_lately(site_stream):
    missing_line(seen=timezone.now() - timedelta(hours=1))
    with pytest.raises(CommandError, match="may come back"):
        run("--write-off", "gone")
    assert Producer.objects.get().lost == 0
    run("--write-off", "gone", "--force")
    assert Producer.objects.get().lost == 6


def test_write_off_of_what_is_still_here(site_stream, new_web):
    web = new_web()
    web.record(2)
    missing_line(producer=web.producer, recorded=2, expected=0, counted=0)
    with pytest.raises(CommandError, match="is on this machine: run analytics_ship"):
        run("--write-off", web.producer)


def test_written_off_producer_that_comes_back(site_stream, new_web, drain, site):
    """Its old events are duplicates, and what it records from now on is counted."""
    web = new_web()
    web.record(3)
    web.ship()
    drain()
    web.record(4)
    batch, _place = web.shipment._next(closing=False)
    info = web.shipment._info(batch, closing=False)
    site_stream.exchange(None, web.producer, info, b"")
    drain()
    run("--write-off", web.producer, "--force")
    assert_status(recorded=7, counted=3, lost=4, waiting=0)
    web.record(5)
    web.ship()
    tally = drain()
    assert (tally.duplicates, counted()) == (0, 8)
    assert_status(recorded=12, counted=8, lost=4, waiting=0)


def test_batch_that_was_already_under_way_is_a_duplicate(site_stream, new_web, drain):
    web = new_web()
    web.record(4)
    web.ship()
    missing_line(producer=web.producer, recorded=4, expected=0, counted=0)
    run("--write-off", web.producer, "--force")
    assert drain().duplicates == 1
    assert counted() == 0
    assert_status(recorded=4, counted=0, lost=4, waiting=0)


def test_journals_of_another_site_in_the_folder_are_not_ours(site_stream):
    other = Journal(get_config().recorder.journal_dir, site="other")
    other.append(line())
    try:
        assert_status(recorded=0, producers=0)
    finally:
        other.close()


def test_all_sites_are_told_of_the_own_one_first(site_stream):
    Site.objects.create(name="other", active=False)
    Site.objects.create(name="another")
    missing_line(site="other", recorded=7)
    found = status()
    assert found["recorded"] == 0
    assert list(found["sites"]) == ["test", "another", "other"]
    assert found["sites"]["other"]["waiting"] == 3
    shown = run()[0]
    assert "Site test\n" in shown
    assert "Site other (not active)\n" in shown
    assert "analytics_status --site other --write-off gone" in shown


def test_who_waits_to_be_registered_is_told(site_stream):
    site_stream.registry.announce("new-one")
    assert status()["sites_waiting"][0]["name"] == "new-one"
    assert "Site new-one waits to be registered" in run()[0]


def test_a_producer_of_another_site_is_written_off_by_its_name(site_stream):
    Site.objects.create(name="other")
    missing_line(site="other")
    with pytest.raises(CommandError):
        run("--write-off", "gone")
    with pytest.raises(CommandError, match="no site"):
        run("--write-off", "gone", "--site", "nowhere")
    run("--write-off", "gone", "--site", "other")
    assert Producer.objects.get(site="other").lost == 6
