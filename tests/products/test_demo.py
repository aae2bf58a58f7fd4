"""The demo: believable, the same for the same seed, and gone without a trace."""

import datetime
import os
import signal
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.urls import Resolver404, resolve
from django.utils import timezone

from analytics.models import Audience, Producer, Rollup
from analytics.reporting import queries
from analytics.reporting.periods import Period, between
from analytics.rollup.bots import is_bot
from analytics.rollup.buckets import Grain, is_bucket
from analytics.rollup.direct import count_events
from products.demo import filling, shelf
from products.demo.catalogue import (
    HITS,
    LAUNCHES,
    SELLS_OUT,
    SOLD_OUT,
    WITHDRAWN,
    Item,
    items,
)
from products.demo.columns import AGENTS, BROWSERS
from products.demo.goods import goods
from products.demo.pages import PAGES
from products.demo.plan import CAMPAIGNS, SLOW, Plan, whole_days
from products.demo.plan import SOLD_OUT as SOLD_OUT_AT
from products.demo.traffic import events_of
from products.dimensions import product
from products.models import Category, Product
from tests.analytics.recording.events import event

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"days": 3, "visits": 30}
TODAY = datetime.datetime.now(datetime.UTC).date()
MONDAY = TODAY - datetime.timedelta(days=TODAY.weekday() + 49)
"""Of late, so that rows of hours are still written."""


def rows(**conditions) -> list[tuple]:
    """All rollups but their primary keys, products by their article numbers."""
    skus = {str(pk): sku for pk, sku in Product.objects.values_list("pk", "sku")}
    names = [field.name for field in Rollup._meta.fields if field.name != "id"]
    found = Rollup.objects.filter(**conditions).values(*names)
    for row in found:
        if row["dimension"] == "product":
            row["key"] = skus[row["key"]]
        row["latency"] = row["latency"].to_bytes()
        row["visitors"] = row["visitors"].to_bytes()
    return sorted(tuple(row.values()) for row in found)


def demo(**options) -> None:
    call_command("demo", **(SMALL | options))


def today_ms() -> int:
    return int(time.time() * 1000)


def days_ago(days: int) -> datetime.datetime:
    """Noon of a day in the past."""
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    return noon - datetime.timedelta(days=days)


def ms(moment: datetime.datetime) -> int:
    return int(moment.timestamp() * 1000)


def plan_of(days: int, visits: int = 60, seed: int = 1, zone: str = "UTC") -> Plan:
    """A plan that begins on a Monday."""
    last = MONDAY + datetime.timedelta(days=days - 1)
    return Plan(seed, visits, whole_days(last, days, ZoneInfo(zone)))


# ── The tables ───────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_all_it_makes_is_counted_and_in_the_ledger(catalogue):
    demo()
    line = Producer.objects.get()
    totals = Rollup.objects.filter(dimension="total", grain=Grain.DAY)
    requests = sum(totals.values_list("requests", flat=True))
    assert line.recorded == line.counted == requests > 200
    assert line.closed
    assert set(totals.values_list("audience", flat=True)) >= {0, 1}


@pytest.mark.django_db
def test_the_same_seed_makes_the_same_rows_and_another_does_not(catalogue):
    demo(seed=3)
    first = rows()
    demo(remove=True)
    demo(seed=3)
    assert rows() == first
    demo(remove=True)
    demo(seed=4)
    assert rows() != first


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_rows_that_would_be_pruned_at_once_are_not_written(catalogue):
    demo(days=5)
    minutes = Rollup.objects.filter(grain=Grain.MINUTE)
    assert minutes.exists()
    assert not minutes.filter(bucket__lt=days_ago(4)).exists()


@pytest.mark.django_db
def test_a_second_demo_is_a_sentence(catalogue, capsys):
    demo()
    before = rows()
    demo(days=9)
    assert "there already" in capsys.readouterr().out
    assert rows() == before


# ── Removal ──────────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_removal_leaves_what_was_there_before(catalogue):
    old, now = ms(days_ago(40)), today_ms()
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


@pytest.mark.django_db
def test_there_may_be_none_to_remove(catalogue, capsys):
    demo(remove=True)
    assert "no demo" in capsys.readouterr().out


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_it_cannot_last_until_today(catalogue):
    with pytest.raises(CommandError, match="has to be over"):
        demo(until=timezone.localdate())


@pytest.mark.django_db
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


@pytest.mark.django_db
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


# ── Killed half way ──────────────────────────────────────────────────────────
class Killed(BaseException):
    """As good as a signal."""


def fill_and_stop(days: int) -> None:
    """Fill until ``days`` are counted, and stop without a word."""

    def progress(done: int, total: int) -> None:
        if done == days:
            raise Killed

    with pytest.raises(Killed):
        filling.fill(filling.plan_for(7, 30, 3, None), progress)


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_half_a_demo_can_be_removed(catalogue):
    fill_and_stop(days=2)
    demo(remove=True)
    assert rows() == []
    assert not Producer.objects.exists()


@pytest.mark.django_db
def test_a_run_at_work_is_left_alone(catalogue):
    fill_and_stop(days=1)
    Producer.objects.update(seen=timezone.now())
    for remove in (False, True):
        with pytest.raises(CommandError, match="Another run"):
            demo(remove=remove)


def test_killed_by_a_signal_it_never_leaves_half_a_day(tmp_path):
    kept = {"PATH", "HOME", "LANG"}
    env = {name: value for name, value in os.environ.items() if name in kept}
    env |= {"DASHBOARD_VAR": str(tmp_path), "DASHBOARD_LOCAL": "1", "SECRET_KEY": "x"}
    command = [sys.executable, "manage.py"]
    many = [*command, "demo", "--days", "90", "--visits", "20"]
    subprocess.run([*command, "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    process = subprocess.Popen(many, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    database = sqlite3.connect(tmp_path / "db.sqlite3", timeout=20)
    line = "SELECT counted, closed FROM analytics_producer"
    total = "SELECT sum(requests) FROM analytics_rollup WHERE grain=2 AND dimension="
    try:
        while (database.execute(line).fetchone() or (0,))[0] < 500:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait(10)
    counted, closed = database.execute(line).fetchone()
    assert not closed
    assert database.execute(f"{total}'total'").fetchone() == (counted,)
    database.execute("UPDATE analytics_producer SET seen = '2026-01-01'")
    database.commit()
    some = [*command, "demo", "--days", "2", "--visits", "50"]
    said = subprocess.run(some, cwd=ROOT, env=env, capture_output=True, text=True)
    assert "removed first" in said.stdout
    counted, closed = database.execute(line).fetchone()
    assert closed
    assert database.execute(f"{total}'total'").fetchone() == (counted,)
    database.close()


def test_without_tables_it_says_what_to_do(tmp_path):
    env = {"DASHBOARD_VAR": str(tmp_path), "DASHBOARD_LOCAL": "1", "SECRET_KEY": "x"}
    said = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 1
    assert "make run" in said.stderr
    assert "Traceback" not in said.stderr


# ── The products ─────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_products_are_valid_and_diverse(catalogue):
    assert shelf.put(plan_of(10)) == 175
    products = Product.objects.filter(sku__startswith="DEMO-")
    for one in products:
        one.full_clean()
    assert Product.objects.count() == 199
    assert Category.objects.count() == 7
    assert products.filter(stock=0).count() == 3
    assert products.filter(is_active=False).count() == 4
    assert products.values("price").distinct().count() > 40
    assert products.filter(price__lt=Decimal(1)).count() == 0


@pytest.mark.django_db
def test_new_products_are_younger(catalogue):
    plan = plan_of(10)
    shelf.put(plan)
    new = Product.objects.get(name="Ladder Shelf")
    old = Product.objects.get(name="Key Rack")
    assert old.created < plan.days[0].start < new.created == plan.days[9].start


@pytest.mark.django_db
def test_it_takes_no_address_and_no_number_from_anybody(catalogue):
    name = catalogue_item("DEMO-0005").slug
    other = Product.objects.first()
    other.slug = name
    other.save()
    Product.objects.exclude(pk=other.pk).filter(sku="PG-0002").update(sku="DEMO-0009")
    assert shelf.put(plan_of(2)) == 173
    assert Product.objects.get(slug=name) == other


def catalogue_item(sku: str) -> Item:
    return next(item for item in items() if item.sku == sku)


def test_every_name_in_the_tables_is_a_product():
    names = {item.name for item in items()}
    told = set(HITS) | set(LAUNCHES) | SOLD_OUT
    told |= WITHDRAWN
    told |= {name for campaign in CAMPAIGNS for name in campaign.products}
    assert told <= names


# ── The traffic ──────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", PAGES)
def test_routes_are_those_of_the_site(name):
    page = PAGES[name]
    if not page.view:
        with pytest.raises(Resolver404):
            resolve("/nowhere/")
        return
    match = resolve(
        page.route.replace("<slug:slug>", "mug").replace("<path:object_id>", "1")
    )
    assert (f"/{match.route}", match.view_name) == (page.route, page.view)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["home", "list", "category", "detail", "about"])
def test_a_real_request_is_counted_as_the_same(catalogue, client, name):
    slugs = {"category": "kitchen", "detail": Product.objects.available()[0].slug}
    page = PAGES[name]
    response = client.get(page.route.replace("<slug:slug>", slugs.get(name, "")))
    assert response.status_code == page.status
    assert response.resolver_match.view_name == page.view
    assert f"/{response.resolver_match.route}" == page.route


def test_agents_are_what_they_are_meant_to_be():
    assert [is_bot(agent) for agent in AGENTS] == [
        agent not in BROWSERS for agent in AGENTS
    ]


@pytest.mark.django_db
def test_events_lie_within_their_day_and_know_their_products(catalogue):
    plan = plan_of(2)
    shelf.put(plan)
    shown, day = goods(plan), plan.days[1]
    events = events_of(plan, day, shown)
    times = [found.time for found in events]
    assert times == sorted(times)
    assert ms(day.start) <= times[0] <= times[-1] < ms(day.end)
    known = {product(found) for found in events} - {None}
    assert 20 < len(known) <= len(shown.slugs)
    assert known <= set(shown.slugs)


@pytest.mark.parametrize(
    ("last", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)]
)
def test_days_are_those_of_the_clocks(last, hours):
    zone = ZoneInfo("Europe/Berlin")
    day = whole_days(datetime.date.fromisoformat(last), 3, zone)[-1]
    assert day.end - day.start == datetime.timedelta(hours=hours)
    starts, clocks = day.slots()
    assert len(starts) == hours * 4
    assert max(clocks) < 24
    first, end = day.hours(14, 16)
    assert end - first == 2 * 3_600_000


@pytest.fixture
def six_weeks(catalogue, settings):
    """Forty-two days up to a Sunday, counted; as a plan."""
    settings.TIME_ZONE = "UTC"
    plan = plan_of(42, visits=100)
    filling.fill(plan, lambda done, total: None)
    return plan


def period(plan: Plan, first: int, last: int) -> Period:
    """Asked for from so far away that it is made of days."""
    dates = [plan.days[number].date for number in (first, last)]
    return between(*dates, now=timezone.now() + datetime.timedelta(days=365))


def values(plan: Plan, first: int, last: int, measure: str) -> tuple:
    """What people make, by day."""
    return queries.series(period=period(plan, first, last), measure=measure).values


@pytest.mark.django_db
def test_days_and_weeks_have_their_rhythm_and_people_return(six_weeks):
    visitors = values(six_weeks, 0, 41, "visitors")
    weekends = sum(n for day, n in enumerate(visitors) if day % 7 >= 5) / 12
    weekdays = sum(n for day, n in enumerate(visitors) if day % 7 < 5) / 30
    assert weekends < 0.85 * weekdays
    assert sum(visitors[:7]) < sum(visitors[-7:])
    whole = queries.totals(period=period(six_weeks, 0, 41)).visitors
    assert 0.4 < whole / sum(visitors) < 0.9
    hours = Rollup.objects.filter(dimension="total", grain=Grain.HOUR, audience=0)
    night = sum(hours.filter(bucket__hour__lt=6).values_list("views", flat=True))
    evening = sum(hours.filter(bucket__hour__gte=18).values_list("views", flat=True))
    assert 0 < night < evening / 4


@pytest.mark.django_db
def test_what_happened_shows_in_the_numbers(six_weeks):
    plan = six_weeks
    spike = plan.at(CAMPAIGNS[1].begins)
    views = values(plan, spike - 7, spike, "views")
    assert views[-1] > 1.5 * views[0]
    slow = plan.at(SLOW)
    calm, slowed = values(plan, slow - 1, slow, "p95")
    assert slowed > 2 * calm
    deploy = plan.bad_deploy
    assert plan.days[deploy].date.weekday() < 5
    calm, broken = values(plan, deploy - 1, deploy, "errors")
    assert broken > calm


@pytest.mark.django_db
def test_products_have_their_stories(six_weeks):
    def views(name: str, first: int, last: int) -> float:
        """A day."""
        key = str(Product.objects.get(name=name).pk)
        days = period(six_weeks, first, last)
        found = queries.totals(period=days, dimension="product", key=key)
        return found.views / days.days

    gone = six_weeks.at(SOLD_OUT_AT)
    assert views(SELLS_OUT, gone, 41) < 0.5 * views(SELLS_OUT, 0, gone - 1)
    assert Product.objects.get(name=SELLS_OUT).stock == 0
    launch = six_weeks.at(LAUNCHES["Wool Rug"])
    assert views("Wool Rug", 0, launch - 1) == 0 < views("Wool Rug", launch, 41)
    assert views("Wall Calendar", six_weeks.at(0.45), 41) == 0
    assert views("Wall Calendar", 0, six_weeks.at(0.3)) > 0
    days = period(six_weeks, 0, 41)
    top = queries.top(dimension="product", period=days, limit=3)
    assert {row.label.text for row in top.rows} < set(HITS)


@pytest.mark.django_db
def test_there_are_bots_staff_and_broken_links(six_weeks):
    days = period(six_weeks, 0, 41)
    requests = {
        audience: queries.totals(period=days, audiences=(audience,)).requests
        for audience in Audience
    }
    everyone = sum(requests.values())
    assert 0.12 < requests[Audience.BOTS] / everyone < 0.2
    assert 0 < requests[Audience.STAFF] / everyone < 0.2
    broken = queries.top(dimension="error_referrer", period=days, measure="requests")
    assert "oldblog.example.net" in [row.key for row in broken.rows]
