"""N requests in, exactly N counted: by every server, in every grain."""

import socket
from collections import Counter

import pytest

from tests.acceptance.client import Ask, Outcome
from tests.acceptance.marks import ON_BOTH

KINDS = {
    "gthread": ["--worker-class", "gthread", "--threads", "4"],
    "preload": ["--preload"],
    # With --preload a new worker is a mere fork: so there can be many of them.
    "churn": ["--preload", "--max-requests", "25", "--max-requests-jitter", "10"],
    "slow churn": ["--max-requests", "120"],
}


@ON_BOTH
def test_each_request_is_counted_once(site):
    site.start_counting()
    outcome = site.start_web().requests(650)

    site.wait_settled(650)
    site.assert_exactly(outcome)


@pytest.mark.parametrize("kind", KINDS)
def test_each_request_is_counted_once_by_other_workers(site, kind):
    web = site.start_web(*KINDS[kind])
    outcome = web.requests(390)
    site.start_counting()

    site.wait_settled(390)
    site.assert_exactly(outcome)


def test_uvicorn_ended_by_sigterm(site):
    """It runs no atexit: what its thread has not shipped stays on disk."""
    web = site.start_uvicorn()
    outcome = web.requests(130)
    site.wait_shipped(130)
    site.valkey.suspend()
    outcome += web.requests(130)
    web.process.terminate()
    site.valkey.resume()

    site.ship()
    site.drain()
    site.assert_exactly(outcome)


def test_gunicorn_ended_by_sigterm(site):
    web = site.start_web()
    outcome = web.requests(260)
    web.process.terminate()

    assert site.shipped() == 260
    site.drain()
    site.assert_exactly(outcome)
    site.drain()
    assert site.journal_directories() == []


def test_client_that_leaves_a_stream(site):
    web = site.start_web()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(web.address))
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(100_000).startswith(b"HTTP/1.1 200 OK")

    site.start_counting()
    site.wait_settled(1)
    site.assert_counted(Outcome(Counter([Ask("/endless", "/endless", 200)])))


def test_request_that_times_out(site):
    """The worker is told to exit, in the middle of a view, and does."""
    web = site.start_web("--timeout", "1", workers=1)
    hang = Ask("/hang", "/hang", 500, exception="SystemExit")
    outcome = web.load(clients=1, asks=[hang]).join()

    site.start_counting()
    site.wait_settled(1)
    site.assert_exactly(outcome)
