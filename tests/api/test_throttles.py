"""How often somebody may ask: counted for all processes, and never in the way."""

import pytest
from django.core.cache import caches
from rest_framework.settings import api_settings

from api import throttles
from tests.analytics.conftest import own_valkey, running_valkey, valkey_url  # noqa: F401
from tests.api.calling import EDITOR, PRODUCTS, caller, decoded, person, send

pytestmark = pytest.mark.django_db
REDIS = "django.core.cache.backends.redis.RedisCache"


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(throttles, "shared", throttles.Shared())
    monkeypatch.setattr(throttles.time, "time", lambda: 1_800_000_015.0)


@pytest.fixture
def rates(settings, monkeypatch):
    """In memory, so many a minute."""
    memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = settings.CACHES | {"throttles": memory | {"LOCATION": "t"}}
    caches["throttles"].clear()
    chosen: dict[str, str] = {}
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", chosen, raising=False)
    return chosen


@pytest.fixture
def redis(settings):
    def use(url: str) -> None:
        options = settings.CACHES["throttles"] | {"LOCATION": url}
        settings.CACHES = settings.CACHES | {"throttles": options}

    return use


def statuses(client, count: int, method: str = "get", url: str = PRODUCTS):
    return [send(client, method, url, {}).status_code for _ in range(count)]


def read(client, count: int) -> list[int]:
    return [send(client, "get", PRODUCTS).status_code for _ in range(count)]


def test_too_many_requests_have_to_wait(rates):
    rates |= {"products:read": "3/minute"}
    client = caller(person(*EDITOR))
    assert read(client, 4) == [200, 200, 200, 429]
    response = send(client, "get", PRODUCTS, accept="xml")
    assert (response["Retry-After"], decoded(response)["code"]) == ("46", "throttled")


def test_the_next_window_is_open(rates, monkeypatch):
    rates |= {"products:read": "1/minute"}
    client = caller(person(*EDITOR))
    assert read(client, 2) == [200, 429]
    monkeypatch.setattr(throttles.time, "time", lambda: 1_800_000_061.0)
    assert read(client, 2) == [200, 429]


def test_scopes_and_users_are_counted_apart_and_tokens_together(rates):
    rates |= {"products:read": "2/minute", "products:write": "1/minute"}
    user = person(*EDITOR)
    first, second = caller(user), caller(user, "session")
    assert read(first, 1) + read(second, 2) == [200, 200, 429]
    writes = [send(first, "post", PRODUCTS, {}).status_code for _ in range(2)]
    assert writes == [400, 429]
    assert read(caller(person(*EDITOR, name="other")), 1) == [200]


def test_bad_credentials_are_counted_by_address(rates):
    rates |= {"refused": "2/minute"}
    good = caller(person(*EDITOR))
    nobody = caller(None)
    spoofed = [
        send(nobody, "get", PRODUCTS, **{"X-Forwarded-For": f"192.0.2.{n}"})
        for n in range(4)
    ]
    assert [each.status_code for each in spoofed] == [401, 401, 429, 429]
    # Nobody with a good credential waits for it.
    assert read(good, 1) == [200]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("nonsense", "", True),
    ],
)
def test_addresses(rf, first, second, same):
    found = [throttles.address(rf.get("/", REMOTE_ADDR=a)) for a in (first, second)]
    assert (found[0] == found[1]) is same


def test_a_cache_that_is_gone_lets_everybody_in(caplog):
    client = caller(person(*EDITOR))
    assert read(client, 3) == [200, 200, 200]
    assert throttles.shared.failures == 3
    assert [r.name for r in caplog.records].count("api.throttles") == 1


def test_a_cache_that_hangs_costs_little(redis, own_valkey):  # noqa: F811
    redis(own_valkey.url)
    assert throttles.shared.count("a", 60) == 1
    own_valkey.hang()
    start = throttles.time.monotonic()
    counts = [throttles.shared.count("a", 60) for _ in range(50)]
    assert counts == [0] * 50
    assert throttles.time.monotonic() - start < 2
    assert throttles.shared.failures == 50


def test_counts_are_shared_and_plain_in_redis(redis, valkey_url):  # noqa: F811
    redis(valkey_url)
    caches["throttles"].clear()
    counts = [throttles.Shared().count("key", 60) for _ in range(3)]
    assert counts == [1, 2, 3]
    caches["throttles"].set("other", {"a": [1, None]}, 60)
    assert caches["throttles"].get("other") == {"a": [1, None]}
    raw = caches["throttles"]._cache.get_client(None).get("dashboard:throttles:1:key")
    assert raw == b"3"
