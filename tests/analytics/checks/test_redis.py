"""Redis answers, keeps what it is given, and is asked on request only."""

import sys

import pytest

from analytics.checks.redis import _server, check_redis
from analytics.conf import get_stream
from tests.analytics.checks.ids import ids
from tests.analytics.conftest import running_valkey

DATABASES = ["default"]


def test_good_redis(site_stream, new_web):
    web = new_web()
    web.record(2)
    web.ship()
    assert check_redis(databases=DATABASES) == []


def test_unreachable_redis(site):
    (message,) = check_redis(databases=DATABASES)
    assert ids([message]) == ["E010"]
    assert "wait in the journal" in message.hint


def test_unusable_redis_address(site):
    site.ANALYTICS_REDIS_URL = "what://is.example.org"
    assert ids(check_redis(databases=DATABASES)) == ["E010"]


def test_redis_that_evicts_and_forgets(site):
    options = ("--maxmemory-policy", "allkeys-lru", "--appendonly", "no")
    with running_valkey(*options) as server:
        site.ANALYTICS_REDIS_URL = server.url
        assert ids(check_redis(databases=DATABASES)) == ["E011", "W010"]


@pytest.mark.parametrize(
    ("version", "found"),
    [("6.0.16", ["W011"]), ("5", ["W011"]), ("6.2.0", []), ("10.1.0", []), ("8", [])],
)
def test_old_redis(version, found):
    info = {"redis_version": version, "aof_enabled": 1}
    assert ids(_server(info)) == found


def test_site_with_the_same_name_and_another_key(site, site_stream, new_web):
    web = new_web()
    web.record(1)
    web.ship()
    site.ANALYTICS_KEY = "another key"
    (message,) = check_redis(databases=DATABASES)
    assert ids([message]) == ["E012"]
    assert "seal does not fit" in message.msg


def test_entry_of_another_site(site, site_stream):
    fields = {"v": "1", "site": "other", "producer": "p", "events": ""}
    site_stream.client.xadd(get_stream().events, fields)
    (message,) = check_redis(databases=DATABASES)
    assert "entry of another site" in message.msg


@pytest.mark.parametrize(
    ("words", "databases", "asked"),
    [
        (["manage.py", "check"], None, False),
        (["manage.py", "check", "--database", "default"], DATABASES, True),
        (["manage.py", "check", "--tag", "analytics_redis"], None, True),
        (["manage.py", "migrate"], DATABASES, False),
        (["manage.py", "test"], DATABASES, False),
    ],
)
def test_redis_is_only_asked_on_request(site, monkeypatch, words, databases, asked):
    monkeypatch.setattr(sys, "argv", words)
    assert bool(check_redis(databases=databases)) is asked
