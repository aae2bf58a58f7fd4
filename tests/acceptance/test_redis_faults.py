"""Valkey is killed, wiped, hung, absent: it is transport, so nothing is lost."""

import time

import pytest

from tests.acceptance.client import PAGE, mixed, paced

HANG_SECONDS = 5
ABSENT_SECONDS = 20
NOISE = 0.015
"""Seconds: as much as a busy machine delays one answer in a hundred. Who waits for a
hung Redis waits for a time-out: a second."""


@pytest.mark.parametrize("aof", [True, False], ids=["aof", "no persistence"])
def test_killed_and_restarted_under_load(site, aof):
    site.valkey.aof = aof
    site.valkey.restart()
    site.start_counting()
    web = site.start_web()
    with web.load() as load:
        for part in (1, 2):
            site.wait_for(site.total, "something is counted")
            site.wait_for(lambda n=part * 300: load.answers() >= n, "a load")
            site.valkey.kill9()
            site.wait_for(lambda n=part * 500: load.answers() >= n, "a load without")
            site.valkey.start()
        outcome = load.stop()

    site.wait_settled(outcome.sent)
    site.assert_exactly(outcome)


def test_killed_with_all_in_the_stream(site):
    """Nothing was counted yet, no persistence: every event has to be sent again."""
    site.valkey.aof = False
    site.valkey.restart()
    web = site.start_web()
    outcome = web.requests(650)
    site.wait_shipped(650)

    site.valkey.restart()

    site.wait_shipped(650)
    site.start_counting()
    site.wait_settled(650)
    site.assert_exactly(outcome)


def test_flushed_with_one_process_idle_and_another_under_load(site):
    idle, busy = site.start_web(workers=1), site.start_web(workers=1)
    outcome = idle.requests(260)
    site.wait_shipped(260)
    with busy.load(clients=2) as load:
        site.wait_for(lambda: load.answers() >= 200, "a load")
        site.valkey.flush_all()
        site.start_counting()
        site.wait_for(site.total, "something is counted")
        site.valkey.flush_all()
        outcome += load.stop()

    site.wait_settled(outcome.sent)
    site.assert_exactly(outcome)


def test_hung_under_load_costs_no_request_anything(site):
    web = site.start_web()
    web.requests(130)
    before = web.load(2, paced(mixed(400, [PAGE]), per_second=100)).join()
    site.valkey.suspend()
    started = time.monotonic()
    asks = mixed(HANG_SECONDS * 100, [PAGE])
    hung = web.load(2, paced(asks, per_second=100)).join()
    assert time.monotonic() - started >= HANG_SECONDS - 0.1
    site.valkey.resume()

    limit = max(2 * before.percentile(99), before.percentile(99) + NOISE)
    assert hung.percentile(99) <= limit
    site.start_counting()
    recorded = 130 + before.sent + hung.sent
    site.wait_settled(recorded)
    site.assert_settled(recorded)
    assert site.total() == recorded


def test_absent_at_first(site):
    site.valkey.kill9()
    started = time.monotonic()
    site.start_counting()
    web = site.start_web()
    with web.load(2, paced(mixed(), per_second=50)) as load:
        absent = lambda: time.monotonic() - started > ABSENT_SECONDS  # noqa: E731
        site.wait_for(absent, "the time without Valkey")
        site.valkey.start()
        site.wait_for(site.total, "something is counted")
        outcome = load.stop()

    assert outcome.sent > 500
    site.wait_settled(outcome.sent)
    site.assert_exactly(outcome)


def test_restarted_ten_times(site):
    """Celery's workers have more than once stopped to consume after that."""
    site.start_counting()
    web = site.start_web(workers=1)
    outcome = web.requests(13)
    for _ in range(10):
        site.wait_settled(outcome.sent)
        site.valkey.restart()
        outcome += web.requests(13)

    site.wait_settled(outcome.sent)
    site.assert_exactly(outcome)
