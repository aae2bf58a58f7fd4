"""Keys, proxies and the way to Redis, as a site needs them that others reach."""

import pytest

from analytics.checks import check_key, check_proxies, check_redis_url
from tests.analytics.checks.ids import ids

LONG = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF"


def test_good_keys(site):
    site.SECRET_KEY = site.ANALYTICS_KEY = LONG
    site.SECRET_KEY_FALLBACKS = ["old"]
    assert check_key() == []


def test_key_that_changes_with_the_secret_key(site):
    site.SECRET_KEY, site.SECRET_KEY_FALLBACKS = LONG, ["old"]
    assert ids(check_key()) == ["W030"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "ANALYTICS_KEY"])
def test_short_key(site, name):
    setattr(site, name, "short")
    (message,) = check_key()
    assert ids([message]) == ["W031"]
    assert name in message.msg


@pytest.mark.parametrize(
    ("behind", "proxies", "found"),
    [(False, 0, []), (True, 1, []), (True, 0, ["W032"])],
)
def test_proxies_that_nobody_counted(site, behind, proxies, found):
    header = ("HTTP_X_FORWARDED_PROTO", "https")
    site.SECURE_PROXY_SSL_HEADER = header if behind else None
    site.ANALYTICS_PROXIES = proxies
    assert ids(check_proxies()) == found


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://127.0.0.1:6379/0", ""),
        ("redis://[::1]:6379/0", ""),
        ("unix:///run/redis.sock", ""),
        ("rediss://:pw@redis.example.org:6379/0", ""),
        ("rediss://redis.example.org/0?password=pw", ""),
        ("rediss://redis.example.org/0", "network without a password."),
        ("redis://:pw@redis.example.org/0", "network unencrypted."),
        ("redis://redis.example.org/0", "without a password and unencrypted."),
    ],
)
def test_redis_over_the_network(site, url, said):
    site.ANALYTICS_REDIS_URL = url
    messages = check_redis_url()
    assert ids(messages) == (["W033"] if said else [])
    assert all(message.msg.endswith(said) for message in messages)
    assert "pw" not in str(messages)
