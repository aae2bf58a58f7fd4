"""The same code or refresh token from many threads, on a database that has locks."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections
from django.http import HttpResponse
from oauth2_provider.models import AccessToken, RefreshToken

from access.models import Grant

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 6


@pytest.fixture(autouse=True)
def rows_can_be_locked(analyst):
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite lets one write at a time; see test_tokens.py")
    # What such a test leaves behind has no groups.
    analyst.is_superuser = True
    analyst.save()


def statuses(ask: Callable[[], HttpResponse]) -> Counter[int]:
    start = Barrier(THREADS)

    def run(_number: int) -> int:
        start.wait()
        try:
            return ask().status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(run, range(THREADS)))


def assert_all_ended() -> None:
    assert not Grant.objects.exists()
    assert not AccessToken.objects.exists()
    assert not RefreshToken.objects.filter(revoked=None).exists()


def test_code_is_used_once(dance):
    code = dance.code()
    found = statuses(lambda: dance.exchange(code))
    assert found == {200: 1, 400: THREADS - 1}
    assert_all_ended()


def test_refresh_token_is_used_once(dance):
    token = dance.tokens()["refresh_token"]
    found = statuses(lambda: dance.refresh(token))
    assert found == {200: 1, 400: THREADS - 1}
    assert_all_ended()
