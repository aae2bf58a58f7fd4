"""A Flask site beside the Django one: each request counted once, under its own site.

Both share the machine, its folder of journals and Redis; the dashboard drains both.
"""

import json

import pytest

from analytics.rollup.buckets import Grain
from flask_shop.recording import SITE
from tests.acceptance.client import MIX, Outcome, mixed
from tests.acceptance.flask_shop import SHOP_MIX, start_shop
from tests.acceptance.marks import ON_BOTH
from tests.acceptance.site import NAME, kill_workers

# A file is recorded when the server closes it, and by then the client has all of it: a
# worker killed in between has answered what it did not record.
DJANGO_MIX = tuple(ask for ask in MIX if ask.path != "/file")
MIXES = {NAME: DJANGO_MIX, SITE: SHOP_MIX}
KILLS = 3
REGISTER = f"from analytics.sites import register; register({SITE!r}, 'test')"


@pytest.fixture
def webs(site):
    """Both sites, counted while they run."""
    site.start_counting()
    webs = {NAME: site.start_web(), SITE: start_shop(site)}
    webs[SITE].requests(len(SHOP_MIX), mix=SHOP_MIX)
    register(site)
    return webs


def waiting(site) -> dict[str, int]:
    """Batches of each site that asks to be registered, as people are told."""
    status = site.start("status", ["django", "analytics_status", "--json"])
    assert status.wait() == 0, status.said()
    found = json.loads(status.said().splitlines()[-1])["sites_waiting"]
    return {said["name"]: said["batches"] for said in found if not said["registered"]}


def register(site) -> None:
    """As the admin's button does, once the site has announced itself."""
    site.wait_for(lambda: SITE in waiting(site), f"{SITE} asks to be registered")
    assert site.command("shell", "--no-imports", "-c", REGISTER) == 0, site.logs()


def ledgers(site) -> dict[str, tuple[int, ...]]:
    """recorded, counted, lost and rejected of each site."""
    sums = ", ".join(f"SUM({n})" for n in ("recorded", "counted", "lost", "rejected"))
    rows = site.database.query(
        f"SELECT site, {sums} FROM analytics_producer GROUP BY site"  # noqa: S608
    )
    return {name: tuple(map(int, numbers)) for name, *numbers in rows}


def producers(site) -> dict[str, int]:
    """How many processes recorded, of each site."""
    sql = "SELECT site, COUNT(*) FROM analytics_producer GROUP BY site"
    return dict(site.database.query(sql))


def counts(site, dimension: str) -> dict[str, dict[str, int]]:
    """Requests of a day by key, of each site."""
    rows = site.database.query(
        "SELECT site, key, SUM(requests) FROM analytics_rollup"  # noqa: S608
        f" WHERE dimension = '{dimension}' AND grain = {int(Grain.DAY)}"
        " GROUP BY site, key"
    )
    found: dict[str, dict[str, int]] = {}
    for name, key, number in rows:
        found.setdefault(name, {})[key] = int(number)
    return found


def under_load(site, webs, seen, kill) -> dict[str, Outcome]:
    """What the clients of each site saw; ``kill`` has each at so many answers."""
    loads = {name: web.load(6, mixed(mix=MIXES[name])) for name, web in webs.items()}
    try:
        for number in seen:
            site.wait_for(
                lambda n=number: all(load.answers() >= n for load in loads.values()),
                f"{number} answers of each",
                60,
            )
            for web in webs.values():
                kill(web)
    finally:
        outcomes = {name: load.stop() for name, load in loads.items()}
    return outcomes


def wait_counted(site) -> None:
    """A journal is deleted when all of it is counted, and no web process is left."""
    site.wait_for(lambda: not site.journal_directories(), "all journals counted", 60)


def assert_each_counted(site, outcomes) -> None:
    """answered <= counted <= sent, of each site and route; nothing lost or refused."""
    found, routes, totals = ledgers(site), counts(site, "route"), counts(site, "total")
    assert set(found) == set(routes) == set(outcomes)
    for name, outcome in outcomes.items():
        recorded, counted, lost, rejected = found[name]
        assert outcome.answered.total() <= counted <= outcome.sent
        assert (recorded, lost, rejected) == (counted, 0, 0)
        assert totals[name] == {"": counted}
        assert sum(routes[name].values()) == counted
        assert set(routes[name]) == {ask.route for ask in MIXES[name]}
        for route, answered in outcome.by("route").items():
            assert routes[name][route] >= answered
    assert site.dead_letters() == []


def first_asked() -> Outcome:
    """What the fixture asked the shop, all of it answered."""
    outcome = Outcome()
    outcome.answered.update(SHOP_MIX)
    return outcome


@ON_BOTH
def test_workers_of_both_killed_under_load(site, webs):
    seen = range(100, 100 * KILLS + 1, 100)
    outcomes = under_load(site, webs, seen, lambda web: kill_workers(web, 2))
    for web in webs.values():
        web.process.terminate()

    wait_counted(site)
    assert min(producers(site).values()) >= KILLS, "those that were killed had recorded"
    outcomes[SITE] += first_asked()
    assert_each_counted(site, outcomes)


def test_both_killed_wholly(site, webs):
    """Masters and workers at once: nobody of them is left to ship."""
    outcomes = under_load(site, webs, (200,), lambda web: web.process.kill9())
    wait_counted(site)
    outcomes[SITE] += first_asked()
    assert_each_counted(site, outcomes)


def test_the_shop_waits_until_it_is_registered_and_is_counted_then(site):
    site.start_counting()
    web, shop = site.start_web(), start_shop(site)
    outcome = shop.requests(450, mix=SHOP_MIX)
    web.requests(110, mix=DJANGO_MIX)
    site.wait_for(lambda: waiting(site).get(SITE), "the shop waits, and that is shown")
    site.wait_for(lambda: NAME in counts(site, "total"), "the other one is counted")
    assert set(ledgers(site)) == set(counts(site, "total")) == {NAME}

    register(site)
    settled = {NAME: (110, 110, 0, 0), SITE: (450, 450, 0, 0)}
    site.wait_for(lambda: ledgers(site) == settled, "both are counted")
    assert waiting(site) == {}
    for dimension in ("route", "status", "method"):
        assert counts(site, dimension)[SITE] == outcome.by(dimension)
