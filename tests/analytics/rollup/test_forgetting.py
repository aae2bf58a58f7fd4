"""Forgetting: no row of the user is left, and no sum has changed."""

import datetime

import pytest
from django.db.models import Sum

from analytics.models import DeadLetter, Rollup, Writer
from analytics.recording.event import encode
from analytics.rollup import forgetting
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import OTHER
from analytics.rollup.direct import count_events
from analytics.rollup.forgetting import forget, mentions
from analytics.rollup.sketches import Histogram, Visitors
from analytics.rollup.store import SUMS
from tests.analytics.recording.events import event, event_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
NOW = datetime.datetime.now(datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def visits(user, *hours_ago, **changes):
    times = (int((NOW - hours * HOUR).timestamp() * 1000) for hours in hours_ago)
    return [event(time=time, user=user, **changes) for time in times]


def rows(**where):
    return Rollup.objects.filter(dimension="user", **where)


def sums():
    """The sums of each bucket and audience of the dimension, over its keys."""
    found = rows().values_list("grain", "bucket", "audience")
    return set(found.annotate(*map(Sum, SUMS)).order_by())


def contents():
    return list(rows().order_by("pk").values_list())


def elsewhere():
    """All rows of the other dimensions."""
    names = ("dimension", "key", "bucket", "grain", "audience", *SUMS)
    return set(Rollup.objects.exclude(dimension="user").values_list(*names))


@pytest.fixture
def counted():
    count_events(
        [
            *visits("7", 1, 1, 30, 60, page=True, bytes=10),
            *visits("7", 1, staff=True),
            *visits("8", 1, 30, status=500),
            *visits("77", 1, 90),
            *visits("", 1, 2),
        ],
        "(test)",
    )


def test_the_rows_become_a_part_of_the_others_and_the_sums_stay(counted):
    before, others = sums(), elsewhere()
    requests = 5
    erased = forget(["7", "nobody"])
    assert erased.requests == requests
    assert erased.rows > 2
    assert not rows(key="7").exists()
    assert (sums(), elsewhere()) == (before, others)
    days = rows(key=OTHER, grain=Grain.DAY)
    assert days.aggregate(n=Sum("requests"))["n"] == requests
    assert rows(key="77").exists()


def test_in_several_transactions_too(counted, monkeypatch):
    monkeypatch.setattr(forgetting, "BATCH_ROWS", 1)
    before = sums()
    assert forget(["7", "8", "77"]).requests == 9
    assert set(rows().values_list("key", flat=True)) == {OTHER}
    assert sums() == before


def test_again_there_is_nothing_to_do(counted):
    forget(["7"])
    before = contents()
    assert forget(["7"]) == forgetting.Erased()
    assert contents() == before


def test_the_others_themselves_stay(counted):
    forget(["7"])
    before = contents()
    forget([OTHER])
    assert contents() == before


def test_what_an_app_measures_of_users_is_merged():
    """The dimension could have latency and visitors, too."""
    people = Visitors()
    people.add_many([1, 2, 3])
    for key in ("7", "8"):
        Rollup.objects.create(
            **{"site": "test", "dimension": "user", "grain": 2, "bucket": NOW},
            **{"key": key, "audience": 0, "requests": 3},
            latency=Histogram.of([2_000] * 3),
            visitors=people,
        )
    forget(["7", "8"])
    other = rows().get()
    assert (other.key, other.requests, other.visitors.estimate()) == (OTHER, 6, 3)
    assert sum(other.latency.counts.values()) == 6


def test_another_sites_users_stay(counted):
    rows(key="7").update(site="other")
    assert forget(["7"]) == forgetting.Erased()
    assert rows(key="7", site="other").exists()


# Dead letters.


def letter(content, kind=DeadLetter.Kind.EVENT, site="test"):
    made = {"kind": kind, "site": site, "created": NOW, "content": content}
    return DeadLetter.objects.create(**made)


def test_letters_that_tell_of_them_are_emptied_and_stay():
    broken = event_with(user="7", status=9_999)
    told = [letter(encode(event(user="7"))), letter(broken), letter(b"?", kind="body")]
    kept = [letter(encode(event(user="77"))), letter(broken, site="other")]
    assert forget(["7"]).letters == 3
    contents = dict(DeadLetter.objects.values_list("pk", "content"))
    assert [bytes(contents[each.pk]) for each in told] == [b"", b"", b""]
    assert [bytes(contents[each.pk]) for each in kept] == [
        each.content for each in kept
    ]
    assert forget(["7"]).letters == 0


def test_letters_are_read_and_emptied_some_at_a_time(monkeypatch):
    """A drain waits for the writer row no longer than one of these takes."""
    monkeypatch.setattr(forgetting, "BATCH_ROWS", 2)
    for user in "7", "77", "77", "7", "7":
        letter(encode(event(user=user)))
    forget([])
    before = Writer.objects.get(pk="test").generation
    assert forget(["7"]).letters == 3
    # One for the rollups, of which there are none.
    assert Writer.objects.get(pk="test").generation == before + 1 + 3
    left = DeadLetter.objects.exclude(content=b"").order_by("pk")
    assert [bytes(each.content) for each in left] == [encode(event(user="77"))] * 2


def test_a_line_mentions_its_user_and_no_other():
    assert mentions(encode(event(user="7")), {"7"})
    assert not mentions(encode(event(user="77", agent='"7"')), {"7"})
    assert mentions(b'[1,"GET","7', {"GET"})
