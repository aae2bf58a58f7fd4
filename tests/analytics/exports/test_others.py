"""An export takes no memory for its length, and keeps nobody waiting."""

import threading
import tracemalloc
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.urls import reverse

from analytics.models import Rollup
from analytics.reporting import exports
from analytics.rollup.fold import Measures
from analytics.rollup.sketches import Histogram
from analytics.rollup.store import save_rows
from tests.analytics.exports.making import STREAMED, TEN, lines, post, rollup, rows_of

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("format", STREAMED)
def test_a_download_keeps_no_writer_waiting(admin_client, small_batches, format):
    rows = [rollup(number) for number in range(9)]
    stream = iter(post(admin_client, format).streaming_content)
    parts = [next(stream), next(stream)]
    written = []

    def write():
        try:
            written.append(Rollup.objects.filter(pk=rows[0].pk).update(views=1))
        finally:
            # Django's own `close` leaves a database in memory open.
            connection.connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(20)
    assert written == [1]
    assert len(rows_of(format, b"".join([*parts, *stream]))) == 9


@pytest.mark.parametrize("format", STREAMED)
def test_memory_does_not_grow_with_the_rows(format, monkeypatch):
    monkeypatch.setattr(exports, "REMEMBERED", 500)
    whole = {}
    for number in range(6_000):
        measures = Measures(requests=1)
        measures.latency = Histogram.of(range(0, 3_000, 60 + number % 7))
        start = int(TEN.timestamp()) + 3_600 * number
        whole["route", 1, start, f"/{number}/", 0] = measures
    save_rows("test", whole)
    whole.clear()
    chunks = {"csv": exports.csv_chunks, "json": exports.json_chunks}[format]

    def peak_of(count: int) -> int:
        """The most memory that an export of so many rows takes."""
        end = TEN + timedelta(hours=count)
        rows = Rollup.objects.filter(bucket__lt=end).order_by("-pk")
        tracemalloc.start()
        try:
            assert sum(map(len, chunks(rows))) > 75 * count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # How much a batch takes depends on the database's driver; how many rows there are
    # must not matter. The first time, what is made only once comes on top.
    peak_of(2_000)
    assert peak_of(6_000) < 1.25 * peak_of(2_000)


def test_asynchronous_servers_stream_too(async_client, admin_user, small_batches):
    for number in range(5):
        rollup(number)

    async def ask():
        await async_client.aforce_login(admin_user)
        address = reverse("admin:analytics_rollup_export")
        response = await async_client.post(address, {"format": "csv"})
        assert response.is_async
        return [chunk async for chunk in response]

    chunks = async_to_sync(ask)()
    assert len(chunks) == 3
    assert len(lines(b"".join(chunks))) == 5
