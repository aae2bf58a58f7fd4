"""The demo: the same for the same seed, whole or begun anew, gone without a trace."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError
from django.utils import timezone

from analytics.models import Producer, Rollup
from analytics.rollup.buckets import Grain, is_bucket
from analytics.rollup.direct import count_events
from products.demo import filling
from products.models import Category, Product
from tests.analytics.recording.events import event
from tests.products.demo.making import days_ago, demo, ms, rows

pytestmark = pytest.mark.django_db


def test_all_it_makes_is_counted_and_in_the_ledger(catalogue):
    demo()
    line = Producer.objects.get()
    totals = Rollup.objects.filter(dimension="total", grain=Grain.DAY)
    requests = sum(totals.values_list("requests", flat=True))
    assert line.recorded == line.counted == requests > 200
    assert line.closed
    assert set(totals.values_list("audience", flat=True)) >= {0, 1}


def test_the_same_seed_makes_the_same_rows_and_another_does_not(catalogue):
    demo(seed=3)
    first = rows()
    demo(remove=True)
    demo(seed=3)
    assert rows() == first
    demo(remove=True)
    demo(seed=4)
    assert rows() != first


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/St_Johns"])
def test_it_ends_with_yesterday_and_is_made_of_whole_days(catalogue, settings, zone):
    settings.TIME_ZONE = zone
    demo()
    today = timezone.now().astimezone(ZoneInfo(zone)).date()
    starts = Rollup.objects.filter(dimension="total", grain=Grain.DAY)
    starts = starts.order_by("bucket").values_list("bucket", flat=True).distinct()
    dates = [start.astimezone(ZoneInfo(zone)).date() for start in starts]
    assert dates == [today - datetime.timedelta(days=age) for age in (3, 2, 1)]
    assert all(is_bucket(start, Grain.DAY, ZoneInfo(zone)) for start in starts)


def test_rows_that_would_be_pruned_at_once_are_not_written(catalogue):
    demo(days=5)
    minutes = Rollup.objects.filter(grain=Grain.MINUTE)
    assert minutes.exists()
    assert not minutes.filter(bucket__lt=days_ago(4)).exists()


def test_a_second_demo_is_a_sentence(catalogue, capsys):
    demo()
    before = rows()
    demo(days=9)
    assert "there already" in capsys.readouterr().out
    assert rows() == before


# ── Removal ─────────────────────────────────────────────────────────────────
def test_removal_leaves_what_was_there_before(catalogue):
    old, now = ms(days_ago(40)), ms(timezone.now())
    count_events([event(time=now), event(time=old)], "(import)")
    before, shop = rows(), list(Product.objects.values())
    categories = list(Category.objects.values())
    demo()
    assert len(rows()) > len(before)
    count_events([event(time=now)], "(import)")
    demo(remove=True)
    untouched = rows(bucket__lt=days_ago(30))
    assert untouched == [row for row in before if row[3] < days_ago(30)] != []
    today = Rollup.objects.get(
        dimension="total", grain=Grain.DAY, bucket__gt=days_ago(2)
    )
    assert today.requests == 2
    assert len(rows()) == len(before)
    assert list(Producer.objects.values_list("producer", flat=True)) == ["(import)"]
    assert list(Product.objects.values()) == shop
    assert list(Category.objects.values()) == categories


def test_there_may_be_none_to_remove(catalogue, capsys):
    demo(remove=True)
    assert "no demo" in capsys.readouterr().out


def test_it_does_not_mix_with_counted_requests(catalogue):
    count_events([event(time=ms(days_ago(2)))] * 3, "(import)")
    before = rows()
    until = days_ago(3).date()
    with pytest.raises(CommandError, match=rf"3 requests .*--until {until}"):
        demo()
    assert rows() == before
    assert not Product.objects.filter(sku__startswith="DEMO-").exists()
    demo(until=until)
    assert filling.find().last == until


def test_it_cannot_last_until_today(catalogue):
    with pytest.raises(CommandError, match="has to be over"):
        demo(until=timezone.localdate())


def test_removal_spares_requests_that_came_late_unless_forced(catalogue):
    demo()
    count_events([event(time=ms(days_ago(2)))], "web")
    before = rows()
    with pytest.raises(CommandError, match=r"\+1 requests .* DEMO=--force"):
        demo(remove=True)
    assert rows() == before
    assert filling.find().complete
    demo(remove=True, force=True)
    assert rows() == []
    assert list(Producer.objects.values_list("producer", flat=True)) == ["web"]


def test_edited_products_stay(catalogue, capsys):
    demo()
    edited = Product.objects.get(sku="DEMO-0001")
    edited.price += 1
    edited.save()
    renamed = Product.objects.get(sku="DEMO-0002")
    renamed.slug = "bread-bin"
    renamed.save()
    demo(remove=True)
    kept = Product.objects.filter(sku__startswith="DEMO-")
    assert set(kept) == {edited, renamed}
    assert "2 of its products were edited, and stay" in capsys.readouterr().out
    demo()
    assert Product.objects.filter(sku__startswith="DEMO-").count() == 175


# ── Given up half way ───────────────────────────────────────────────────────
class Killed(BaseException):
    """As good as a signal."""


def fill_and_stop(days: int) -> None:
    """Fill until ``days`` are counted, and stop without a word."""

    def progress(done: int, total: int) -> None:
        if done == days:
            raise Killed

    with pytest.raises(Killed):
        filling.fill(filling.plan_for(7, 30, 3, None), progress)


def test_half_a_demo_is_begun_anew(catalogue):
    demo()
    whole = rows()
    demo(remove=True)
    fill_and_stop(days=2)
    half = rows()
    assert 0 < len(half) < len(whole)
    demo()
    assert rows() == whole
    assert filling.find().complete


def test_half_a_demo_can_be_removed(catalogue):
    fill_and_stop(days=2)
    demo(remove=True)
    assert rows() == []
    assert not Producer.objects.exists()


def test_a_run_at_work_is_left_alone(catalogue):
    fill_and_stop(days=1)
    Producer.objects.update(seen=timezone.now())
    for remove in (False, True):
        with pytest.raises(CommandError, match="Another run"):
            demo(remove=remove)
