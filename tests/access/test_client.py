"""Where a request comes from."""

import pytest
from django.test import RequestFactory

from access import client


def asked(at: str, forwarded: str = "", agent: str = ""):
    headers = {"X-Forwarded-For": forwarded, "User-Agent": agent}
    return RequestFactory().get("/", REMOTE_ADDR=at, headers=headers)


@pytest.mark.parametrize(
    ("remote", "address", "network"),
    [
        ("192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("", None, ""),
        ("unix:", None, ""),
    ],
)
def test_address_and_what_is_kept_of_it(remote, address, network):
    request = asked(remote)
    assert (client.address(request), client.network(request)) == (address, network)


def test_only_own_proxies_are_believed(settings):
    request = asked("10.0.0.1", "203.0.113.1, 198.51.100.9")
    assert client.address(request) == "10.0.0.1"
    settings.ANALYTICS_PROXIES = 1
    assert client.address(request) == "198.51.100.9"


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(
    ("agent", "family"),
    [(FIREFOX, "Firefox, Linux"), ("curl/8.5.0", "curl"), ("", "")],
)
def test_family_of_the_program(agent, family):
    assert client.agent(asked("192.0.2.1", agent=agent)) == family


def test_nothing_that_was_sent_is_kept_raw():
    sent = "Evil\x1b[31m\u202e" + "x" * 500
    assert client.agent(asked("192.0.2.1", agent=sent)).isprintable()
    assert len(client.agent(asked("192.0.2.1", agent=sent))) <= 100
