"""Web processes die by SIGKILL: what was answered is counted, once."""

from tests.acceptance.site import kill_workers


def assert_between(site, outcome):
    """answered <= counted <= sent, and all of it settled."""
    ledger = site.ledger()
    assert outcome.answered.total() <= ledger.counted <= outcome.sent
    site.assert_settled(recorded=ledger.counted)
    assert site.total() == ledger.counted
    assert site.journal_directories() == []


def end(site, web):
    """Stop what still runs, and count what it left."""
    web.process.terminate()
    site.ship()
    site.drain()
    site.drain()


def test_worker_killed_under_load(site):
    web = site.start_web(workers=2)
    with web.load(clients=6) as load:
        for seen in (100, 200, 300, 400):
            site.wait_for(lambda n=seen: load.answers() >= n, f"{seen} answers")
            kill_workers(web, 1)
        outcome = load.stop()

    assert outcome.failed, "a request was under way when its worker was killed"
    end(site, web)
    assert_between(site, outcome)


def test_orphan_is_adopted_by_its_sibling(site):
    """Nobody runs a command: the worker that lives ships for the dead one."""
    site.start_counting()
    web = site.start_web(workers=2)
    outcome = web.requests(260)
    kill_workers(web, 1)

    site.wait_settled(260)
    site.assert_exactly(outcome)


def test_last_web_process_killed(site):
    web = site.start_web(workers=2)
    with web.load(clients=4) as load:
        site.wait_for(lambda: load.answers() >= 300, "300 answers")
        web.process.kill9()
        outcome = load.stop()

    assert site.journal_directories()
    site.ship()
    site.drain()
    ledger = site.ledger()
    assert outcome.answered.total() <= ledger.counted <= outcome.sent
    site.assert_settled(recorded=ledger.counted)
    assert site.total() == ledger.counted
