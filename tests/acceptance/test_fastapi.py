"""A FastAPI site under uvicorn: each request counted once, however it ends."""

from analytics.rollup.buckets import Grain
from tests.acceptance.client import Outcome, mixed
from tests.acceptance.fastapi_site import FASTAPI_MIX, start_fastapi

KILLS = 2


def test_uvicorn_ended_by_sigterm_ships_what_is_left(site):
    web = start_fastapi(site)
    outcome = web.requests(20 * len(FASTAPI_MIX), mix=FASTAPI_MIX)
    web.process.terminate()

    assert site.shipped() == outcome.sent
    site.drain()
    site.assert_exactly(outcome)
    site.drain()
    assert site.journal_directories() == []


def test_uvicorn_killed_under_load(site):
    """answered <= counted <= sent, of each route, status and exception."""
    outcome = Outcome()
    for _ in range(KILLS):
        web = start_fastapi(site)
        load = web.load(6, mixed(mix=FASTAPI_MIX))
        try:
            site.wait_for(lambda load=load: load.answers() >= 150, "150 answers")
            web.process.kill9()
        finally:
            outcome += load.stop()

    site.ship()
    site.drain()
    ledger = site.ledger()
    assert outcome.answered.total() <= ledger.counted <= outcome.sent
    site.assert_settled(recorded=ledger.counted)
    for dimension in ("route", "status", "method", "exception"):
        found = site.counts(dimension, Grain.DAY)
        answered = outcome.by(dimension)
        assert set(found) == set(answered)
        assert all(found[key] >= number for key, number in answered.items())
