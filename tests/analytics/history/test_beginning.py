"""From when on log lines would be counted twice."""

import datetime

import pytest
from django.utils import timezone

from analytics.history.beginning import BeginningUnknown, first_live
from analytics.models import ImportedFile, Producer
from analytics.rollup.direct import count_events
from tests.analytics.history.logs import START
from tests.analytics.recording.events import event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
HOUR = datetime.timedelta(hours=1)
MINUTE_OF_START = START + datetime.timedelta(seconds=42)


def new_line(producer: str, **changes):
    return Producer.objects.create(site="test", producer=producer, **changes)


def test_a_site_that_has_recorded_nothing_has_no_beginning(site_stream):
    new_line("(log) access.log", seen=START, started=START)
    Producer.objects.create(site="other", producer="web", started=START)
    assert first_live() is None


def test_without_redis_nobody_knows_that_nothing_was_recorded():
    with pytest.raises(BeginningUnknown, match=r"Redis does not tell .*--until"):
        first_live()


def test_what_the_ledger_knows_needs_no_redis():
    new_line("a", started=START, seen=START + HOUR)
    assert first_live() == START


def test_it_is_the_minute_in_which_the_first_process_began():
    new_line("b", started=START + HOUR, seen=START + HOUR)
    new_line("a", started=MINUTE_OF_START, seen=START + 2 * HOUR)
    new_line("c", started=None, seen=START + 3 * HOUR)
    assert first_live() == START


def test_what_is_recorded_and_not_counted_yet_has_begun_too(new_web, site_stream):
    new_web().record(1, age=7_200)
    found = timezone.now() - first_live()
    assert abs(found - 2 * HOUR) <= datetime.timedelta(minutes=1)


def test_lines_that_were_folded_may_tell_when_they_began():
    new_line(Producer.FOLDED, started=MINUTE_OF_START, seen=START + HOUR)
    assert first_live() == START


def test_else_the_first_day_does_as_long_as_no_log_was_imported(site):
    site.TIME_ZONE = "UTC"
    new_line(Producer.FOLDED, seen=START + HOUR)
    count_events([event(time=int(START.timestamp() * 1000))], "web")
    assert first_live() == START.replace(hour=0)
    ImportedFile.objects.create(
        site="test", digest="x", head=1, started=START, seen=START
    )
    with pytest.raises(BeginningUnknown, match="--until"):
        first_live()
