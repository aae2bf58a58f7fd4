"""Events that are counted without a journal."""

import pytest

from analytics.models import Producer, Rollup
from analytics.rollup.buckets import Grain
from analytics.rollup.direct import count_events
from tests.analytics.recording.events import event


@pytest.mark.django_db
def test_counts_and_enters_its_source_into_the_ledger(site):
    count_events([event(), event(status=500)], "(import)")
    count_events([event()], "(import)")
    total = Rollup.objects.of("test", "total", Grain.DAY).get()
    assert (total.requests, total.errors) == (3, 1)
    line = Producer.objects.get(producer="(import)")
    assert (line.recorded, line.counted, line.waiting) == (3, 3, 0)
