"""``analytics_forget_user``: what it erases, and what it says still waits."""

import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from analytics.models import Producer, Rollup
from analytics.recording.event import encode
from analytics.reporting import waiting
from analytics.reporting.waiting import Waiting, waiting_of
from analytics.rollup.dimensions import OTHER
from tests.analytics.recording.events import event

pytestmark = pytest.mark.django_db


def run(*users):
    out, err = StringIO(), StringIO()
    call_command("analytics_forget_user", *users, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def visit(web, *users):
    for user in users:
        at = int(time.time() * 1000)
        web.journal.append(encode(event(time=at, user=user)) + b"\n")


def keys():
    found = Rollup.objects.filter(dimension="user").values_list("key", flat=True)
    return set(found)


def test_counted_visits_are_erased(new_web, drain):
    web = new_web()
    visit(web, "7", "7", "8")
    web.ship()
    drain()
    out, err = run("7")
    assert "2 rows with 2 requests" in out
    assert err == ""
    assert keys() == {"8", OTHER}
    assert run("7")[0] == "Nothing was counted by these users.\n"


def test_what_waits_in_a_journal_is_known(new_web, drain):
    web = new_web()
    visit(web, "7", "8")
    web.ship()
    drain()
    visit(web, "7", "7", "8")
    with pytest.raises(CommandError, match=r"^2 requests of them wait"):
        run("7")
    assert keys() == {"8", OTHER}
    web.ship()
    drain()
    assert "7" in keys()
    run("7")
    assert keys() == {"8", OTHER}


def test_what_waits_in_redis_alone_is_known(
    new_web, drain, site_stream, tmp_path, site
):
    """As on the machine that the web processes are not on."""
    web = new_web()
    visit(web, "7", "8", "7")
    web.ship()
    site.ANALYTICS_JOURNAL_DIR = str(tmp_path / "another")
    with pytest.raises(CommandError, match=r"^2 requests of them wait"):
        run("7")
    drain()
    run("7")
    assert keys() == {"8", OTHER}


def test_an_event_in_journal_and_redis_is_one(new_web, site_stream, monkeypatch):
    monkeypatch.setattr(waiting, "READ_ENTRIES", 1)
    web = new_web()
    for _ in range(3):
        visit(web, "7", "8")
        web.ship()
    assert waiting_of(["7"]) == Waiting(found=3, unseen=0)


def test_what_nobody_can_see_from_here_is_said(site_stream):
    line = {"recorded": 10, "expected": 4, "counted": 4}
    Producer.objects.create(site="test", producer="elsewhere", **line)
    _out, err = run("7")
    assert "On the disks of other machines 6 requests wait" in err


def test_without_redis_it_erases_and_says_what_it_does_not_know(site, new_web, drain):
    web = new_web()
    visit(web, "7")
    web.ship()
    drain()
    site.ANALYTICS_REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(CommandError, match="Redis did not answer"):
        run("7")
    assert keys() == {OTHER}


@pytest.mark.parametrize("word", [OTHER, ""])
def test_what_is_no_user(site, word):
    with pytest.raises(CommandError, match="no users"):
        run(word)
