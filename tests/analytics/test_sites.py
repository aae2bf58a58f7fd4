"""Several sites on one dashboard: announced, registered, drained in turns."""

import time

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from analytics import sites
from analytics.conf import get_config, get_registry, get_stream
from analytics.models import Producer, Rollup, Site
from analytics.recording.event import encode
from analytics.recording.journal import Journal
from analytics.recording.registry import SITES, SITES_LIMIT, STALE_SECONDS, Registry
from analytics.rollup import drain as drain_module
from analytics.rollup import job
from analytics.rollup.buckets import Grain
from analytics.stream import StreamError
from tests.analytics.conftest import Web
from tests.analytics.recording.events import event

pytestmark = pytest.mark.django_db
LIST = "admin:analytics_site_changelist"
REGISTER = "admin:analytics_site_register"


@pytest.fixture(autouse=True)
def fresh_jobs():
    job._jobs.clear()
    yield
    for one in job._jobs.values():
        one.shipper.release()
    job._jobs.clear()


@pytest.fixture
def new_site(site_stream, tmp_path):
    """Starts a web process of a site that announces itself."""
    started = []

    def start(name, announced=True):
        stream = get_stream(site=name)
        if announced:
            assert stream.registry.announce(name)
        web = Web(stream, tmp_path / f"journal-{name}")
        started.append((web, stream))
        return web

    yield start
    for web, stream in started:
        web.end()
        stream.close()


@pytest.fixture
def registry(site_stream):
    return site_stream.registry


def counted(name):
    rows = Rollup.objects.of(name, "total", Grain.DAY)
    return sum(row.requests for row in rows)


def waiting_names():
    return [site.name for site in sites.waiting()]


def test_the_own_site_is_registered_by_itself(settings):
    settings.ANALYTICS_SITE = "brand-new"
    sites.register_own()
    sites.register_own()
    row = Site.objects.get(name="brand-new")
    assert (row.active, row.added_by) == (True, "settings")
    assert sites.known()[0] == row


def test_migrations_may_end_before_there_are_sites(settings):
    settings.ANALYTICS_SITE = "brand-new"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE analytics_site RENAME TO none_yet")
        sites.register_own()
        cursor.execute("ALTER TABLE none_yet RENAME TO analytics_site")
    assert not Site.objects.filter(name="brand-new").exists()


def test_one_that_is_not_registered_waits_and_is_counted_exactly_then(new_site):
    web = new_site("other")
    web.record(7)
    web.ship()
    for _ in range(3):
        assert job.drain_once() == ""
    assert counted("other") == 0
    (waiting,) = sites.waiting()
    assert (waiting.name, waiting.batches, waiting.registered) == ("other", 1, False)
    assert abs(waiting.first_seen.timestamp() - time.time()) < 60

    row = sites.register("other", "ada")
    assert (row.active, row.added_by) == (True, "ada")
    assert job.drain_once() == "other: 7 events in 1 batch"
    web.record(2)
    web.ship()
    job.drain_once()
    assert counted("other") == 9
    line = Producer.objects.get(site="other", producer=web.producer)
    assert (line.recorded, line.counted, line.lost) == (9, 9, 0)
    assert waiting_names() == []


def test_a_deactivated_one_waits_too_and_goes_on_where_it_stopped(new_site):
    web = new_site("other")
    sites.register("other", "ada")
    Site.objects.filter(name="other").update(active=False)
    web.record(3)
    web.ship()
    job.drain_once()
    assert counted("other") == 0
    assert [(s.name, s.registered) for s in sites.waiting()] == [("other", True)]
    sites.register("other", "bob")
    job.drain_once()
    assert counted("other") == 3
    assert Site.objects.get(name="other").added_by == "ada"


def test_one_of_another_key_is_neither_offered_nor_drained(new_site, site_stream):
    client = site_stream.client
    foreign = Registry(client, b"another key")
    foreign.announce("foreign")
    assert waiting_names() == []
    with pytest.raises(sites.SiteError):
        sites.register("foreign", "ada")
    # A row, as when somebody changed the key of the other site afterwards.
    Site.objects.create(name="foreign")
    web = new_site("foreign", announced=False)
    web.record(2)
    web.ship()
    job.drain_once()
    assert (counted("foreign"), web.shipment.expected) == (0, 0)
    assert get_stream(site="foreign").backlog() == 1


@pytest.mark.parametrize("name", ["", "a:b", "never-heard", "x" * 60, "\0"])
def test_nobody_registers_what_does_not_announce_itself(site_stream, name):
    with pytest.raises(sites.SiteError):
        sites.register(name, "ada")
    assert name not in Site.objects.values_list("name", flat=True)


def test_one_that_another_installation_drains_is_not_taken(new_site):
    new_site("elsewhere")
    get_stream(site="elsewhere").finished()
    (waiting,) = sites.waiting()
    assert waiting.elsewhere
    with pytest.raises(sites.SiteError, match="Another installation"):
        sites.register("elsewhere", "ada")


def test_a_backlog_of_one_does_not_starve_the_others(new_site, monkeypatch):
    """However much waits of one, each of the others is counted in the same run."""
    monkeypatch.setattr(job, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(drain_module, "EVENTS_LIMIT", 1_000)
    order = []
    write = drain_module.Drain._apply

    def noted(self, entries, infos):
        if entries:
            order.append(self.site)
        return write(self, entries, infos)

    monkeypatch.setattr(drain_module.Drain, "_apply", noted)
    for name, count in (("busy", 4_000), ("quiet", 1), ("still", 1)):
        web = new_site(name)
        sites.register(name, "ada")
        web.record(count)
        web.ship()
    job.drain_once()
    assert order[:3] == ["busy", "quiet", "still"]
    assert set(order[3:]) == {"busy"}
    assert [counted(name) for name in ("busy", "quiet", "still")] == [4_000, 1, 1]


def test_errors_of_one_do_not_stop_the_others(new_site, site_stream):
    for name in ("broken", "fine"):
        web = new_site(name)
        sites.register(name, "ada")
        web.record(2)
        web.ship()
    site_stream.client.set("analytics:broken:producers", b"no hash")
    with pytest.raises(StreamError, match="WRONGTYPE") as raised:
        job.drain_once()
    assert raised.value.__notes__ == ["Of the site broken."]
    assert counted("fine") == 2


def test_another_site_has_no_products_and_no_users(new_site, settings):
    """What its views are called, and its users' numbers, mean nothing here."""
    from analytics.recording.event import encode
    from tests.analytics.recording.events import event

    web = new_site("other")
    sites.register("other", "ada")
    one = event(
        time=int(time.time() * 1000),
        view="products:product-detail",
        kwargs={"slug": "brass-pen"},
        user="1",
    )
    web.journal.append(encode(one) + b"\n")
    web.ship()
    job.drain_once()
    found = set(Rollup.objects.filter(site="other").values_list("dimension", flat=True))
    assert {"total", "route"} <= found
    assert not found & {"product", "user", "category"}


def test_the_registry_is_bounded(registry):
    for number in range(SITES_LIMIT):
        assert registry.announce(f"site-{number}")
    assert not registry.announce("one-too-many")
    assert registry.announce("site-0")
    assert len(registry.announced()) == SITES_LIMIT


def test_one_that_is_gone_makes_room(registry):
    long_ago = time.time() - STALE_SECONDS - 1
    for number in range(SITES_LIMIT):
        assert registry.announce(f"site-{number}", long_ago)
    registry.client.xadd("analytics:site-7:events", {"a": "b"})
    assert registry.announce("new")
    assert set(registry.announced()) == {"new", "site-7"}


def test_forged_names_and_values_are_not_there(registry):
    registry.announce("real")
    value = registry.client.hget(SITES, "real")
    forged = {
        "copied": value,
        "a:b": value,
        "plain": b"1 2",
        "short": b"",
        b"\xff": b"x",
    }
    registry.client.hset(SITES, mapping=forged)
    assert set(registry.announced()) == {"real"}
    assert registry.announced_of(["real", "copied", "never"]) == ["real"]


def test_what_others_write_is_not_read_without_end(registry):
    registry.client.hset(SITES, mapping={f"x{n}": b"junk" for n in range(5_000)})
    assert registry.announced() == {}


def test_the_first_time_is_kept(registry):
    registry.announce("other", 1_000_000_000.0)
    registry.announce("other", 1_000_000_500.0)
    assert registry.announced() == {"other": (1_000_000_000.0, 1_000_000_500.0)}


def test_a_shipper_announces_its_site(site_stream, tmp_path):
    from analytics.recording.recorder import Recorder
    from tests.analytics.recording.events import event

    config = get_config().recorder
    recorder = Recorder(config)
    recorder.record(event(time=int(time.time() * 1000)))
    deadline = time.monotonic() + 10
    while not get_registry().announced() and time.monotonic() < deadline:
        time.sleep(0.01)
    recorder.close()
    recorder._journal.close()
    assert list(get_registry().announced()) == ["test"]
    assert waiting_names() == []


def test_one_click_registers(new_site, member):
    web = new_site("other")
    web.record(1)
    web.ship()
    client = member("view_site", "add_site")
    page = client.get(reverse(LIST)).content.decode()
    assert "Waiting to be registered" in page
    assert 'value="other"' in page
    answer = client.post(reverse(REGISTER), {"name": "other"}, follow=True)
    assert "“other” is registered" in answer.content.decode()
    assert Site.objects.get(name="other").added_by == "member"
    assert "Waiting to be registered" not in client.get(reverse(LIST)).content.decode()


def test_who_may_only_look_sees_it_and_cannot(new_site, member):
    new_site("other")
    client = member("view_site")
    page = client.get(reverse(LIST)).content.decode()
    assert "other" in page
    assert 'value="other"' not in page
    assert client.post(reverse(REGISTER), {"name": "other"}).status_code == 403
    assert not Site.objects.filter(name="other").exists()


def test_a_get_registers_nothing(new_site, member):
    new_site("other")
    client = member("view_site", "add_site")
    assert client.get(reverse(REGISTER), {"name": "other"}).status_code == 405
    assert not Site.objects.filter(name="other").exists()


def test_the_list_says_of_whom_nothing_is_heard(new_site, member):
    """As when the key of its recorders is another one."""
    Site.objects.create(name="silent")
    Site.objects.create(name="switched-off", active=False)
    new_site("speaking")
    sites.register("speaking", "ada")
    page = member("view_site").get(reverse(LIST)).content.decode()
    assert "and so not counted: silent." in page


def test_the_list_says_when_redis_is_away(site, member):
    page = member("view_site").get(reverse(LIST)).content.decode()
    assert "Redis did not answer" in page


def test_the_own_site_cannot_be_switched_off(site, member):
    row, _ = Site.objects.get_or_create(name="test")
    client = member("view_site", "change_site")
    url = reverse("admin:analytics_site_change", args=(row.pk,))
    assert client.post(url, {"label": "Our own"}).status_code == 302
    row.refresh_from_db()
    assert (row.label, row.active) == ("Our own", True)


def test_health_tells_the_staff_who_waits(new_site, member):
    new_site("other")
    found = member().get(reverse("analytics:health")).json()
    names = [one["name"] for one in found["sites_waiting"]]
    assert names == ["other"]


def test_pruning_is_for_all_sites(site):
    from datetime import UTC, datetime

    from analytics.rollup.retention import prune

    Site.objects.create(name="other", active=False)
    for name in ("test", "other", "never-registered"):
        old = {"bucket": datetime(2020, 1, 1, tzinfo=UTC), "audience": 0}
        Rollup.objects.create(
            site=name, dimension="total", grain=Grain.MINUTE, key="", requests=1, **old
        )
    prune()
    assert [row.site for row in Rollup.objects.all()] == ["never-registered"]


@pytest.mark.parametrize(("announced", "sent"), [(True, 5), (False, 0)])
def test_what_another_site_left_in_our_folder_is_shipped_if_it_has_our_key(
    site_stream, announced, sent
):
    """As a machine is taken out of service: nothing of that site runs any more."""
    journal = Journal(get_config().recorder.journal_dir, site="other")
    for _ in range(5):
        journal.append(encode(event()) + b"\n")
    journal.abandon()
    stream = get_stream(site="other")
    if announced:
        stream.registry.announce("other")
    call_command("analytics_ship", "--once")
    assert sum(entry.count for entry in stream.read(10)) == sent
    assert site_stream.backlog() == 0
    stream.close()
