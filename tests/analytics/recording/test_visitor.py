"""Visitors are told apart, networks are cut, and headers are believed with care."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.recording.event import VISITOR_BITS
from analytics.recording.visitor import VisitorHash, client_address, network

PROXY = "203.0.113.9"
CLIENT = "198.51.100.7"
OUTER = "203.0.113.1"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::1", "::/64"),
        ("", ""),
        ("not:an:address", "not:an:address"),
    ],
)
def test_an_address_is_cut_to_its_network(address, expected):
    assert network(address) == expected


def test_a_hash_depends_on_key_address_agent_and_period():
    asked = [
        (b"key", "192.0.2.1", "Moz", ""),
        (b"other", "192.0.2.1", "Moz", ""),
        (b"key", "192.0.2.2", "Moz", ""),
        (b"key", "192.0.2.1", "Moz/2", ""),
        (b"key", "192.0.2.1", "Moz", "2026-01"),
    ]
    found = {VisitorHash(key).of(*rest) for key, *rest in asked}
    assert len(found) == len(asked)


@given(st.text(), st.text(), st.text())
def test_a_hash_is_the_same_in_every_process_and_fits(address, agent, period):
    first, second = VisitorHash(b"key"), VisitorHash(b"key")
    assert first.of(address, agent, period) == second.of(address, agent, period)
    assert 0 <= first.of(address, agent, period) < 2**VISITOR_BITS


@given(st.text(st.characters(codec=None), max_size=50))
def test_any_text_can_be_hashed(text):
    assert VisitorHash(b"key").of(text, text, "") >= 0


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        (CLIENT, 0, PROXY),
        ("", 1, PROXY),
        (CLIENT, 1, CLIENT),
        (f"192.0.2.1, {CLIENT}", 1, CLIENT),
        (f"{CLIENT}, {OUTER}", 2, CLIENT),
        (f"192.0.2.1,192.0.2.2,  {CLIENT} , {OUTER}", 2, CLIENT),
        (CLIENT, 2, CLIENT),
        ("2001:db8::1", 1, "2001:db8::1"),
        ("2001:DB8:0:0::1", 1, "2001:db8::1"),
        (f"{CLIENT}:4711", 1, PROXY),
        ("[2001:db8::1]:4711", 1, PROXY),
        ("unknown", 1, PROXY),
        (f"{CLIENT}, junk", 1, PROXY),
        (f"{CLIENT},", 1, PROXY),
        (",,,", 2, PROXY),
        ("x" * 10_000, 1, PROXY),
        (f"{'x' * 10_000}, {CLIENT}", 1, CLIENT),
        ("192.0.2.256", 1, PROXY),
        ("３.2.2.1", 1, PROXY),
    ],
)
def test_the_hop_that_an_own_proxy_added(forwarded, proxies, expected):
    assert client_address(PROXY, forwarded, proxies) == expected


@given(st.text(st.characters(codec=None), max_size=300), st.integers(1, 3))
def test_what_a_client_writes_left_of_its_hop_changes_nothing(written, proxies):
    honest = ", ".join([CLIENT, *[OUTER] * (proxies - 1)])
    assert client_address(PROXY, f"{written}, {honest}", proxies) == CLIENT


@given(st.text(st.characters(codec=None)), st.integers(0, 5))
def test_any_header_gives_some_address(forwarded, proxies):
    assert client_address(PROXY, forwarded, proxies)
