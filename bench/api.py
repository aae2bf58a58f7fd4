"""The API: top keys and series on a year of data, a large catalogue, bulk upserts.

Asks in one process, through all middleware but that of the recorder and of static
files, with a token, throttles counting in Valkey, on SQLite. Beside it, in the same
run, what Django REST framework does by itself (`api_peer.py`). Verifies how many rows
each answer has, and that each upsert saved what it says.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from . import report
from .report import Line, progress, spaced
from .workspace import workspace

REQUESTS, PRODUCTS, ROWS, PLAIN_ROWS = 200_000, 100_000, 10_000, 1_000
QUICK = 20
"""So many times less for a smoke test."""
TIMES = 9
LIMIT_MS, ROWS_PER_S = 500, 1_000
DAYS = ("30", "90", "year")
ANALYTICS = {
    "top products": "top/?dimension=product",
    "top routes": "top/?dimension=route&by=requests",
    "series of views": "series/?measure=views",
    "series of visitors": "series/?measure=visitors",
    "all products, streamed": "keys/?dimension=product",
    "series of all routes, streamed": "key-series/?dimension=route",
}
LISTS = {
    "first page": "?page=1",
    "last page": "?page={last}",
    "by price": "?ordering=-price",
    "one category, in stock": "?category=all&stock_min=1",
    "a word": "?search=99999",
}

UPSERTS = {"created": "1.00", "updated": "2.00", "unchanged": "2.00"}
"""What becomes of the rows -> their price."""

Asked = tuple[float, int, Any]
"""Milliseconds, SQL queries, the answer."""


def measure(quick: bool) -> Iterator[Line]:
    part = QUICK if quick else 1
    with workspace():
        from django.test import override_settings

        from dashboard.settings import MIDDLEWARE

        from . import year

        middleware = [each for each in MIDDLEWARE[1:] if "whitenoise" not in each]
        progress(f"api: {spaced(REQUESTS // part)} requests of a year")
        for events, hourly in year.days(REQUESTS // part):
            year.count(events, hourly)
        progress(f"api: {spaced(PRODUCTS // part)} products")
        stock(PRODUCTS // part)
        with override_settings(ROOT_URLCONF="bench.api_peer", MIDDLEWARE=middleware):
            get = asker()
            yield from numbers(get, year.rows())
            yield from lists(get, PRODUCTS // part)
            yield from upserts(ROWS // part, PLAIN_ROWS // part)


def stock(count: int) -> None:
    """The catalogue, the products that are visited included."""
    from products.models import Category, Product

    category = Category.objects.get()
    begin = Product.objects.count() + 1
    made = (
        Product(
            sku=f"P-{number}",
            name=f"Product {number}",
            slug=f"product-{number}",
            category=category,
            price=number % 1_000,
            stock=number % 50,
        )
        for number in range(begin, count + 1)
    )
    Product.objects.bulk_create(made, batch_size=1_000)


def asker() -> Callable[[str], Asked]:
    client = signed_in()

    def get(url: str) -> Asked:
        return timed(lambda: client.get(url), TIMES)

    return get


def signed_in() -> Any:
    """A client with the token of a superuser."""
    from django.contrib.auth.models import User
    from django.test import Client

    from access.models import ApiToken
    from access.scopes import SCOPES, join

    user, _ = User.objects.get_or_create(username="bench", is_superuser=True)
    token = ApiToken(user=user, name="bench", scope=join(SCOPES))
    text = token.renew_secret()
    token.save()
    headers = {"Authorization": f"Bearer {text}"}
    return Client(headers=headers, SERVER_NAME="localhost")


def timed(ask: Callable[[], Any], times: int) -> Asked:
    """The median, and what the first time asked the database, and got."""
    answers: list[bytes] = []
    _, queries = once(lambda: answers.append(content(ask())))
    seconds = [once(lambda: content(ask()))[0] for _ in range(times)]
    return 1_000 * statistics.median(seconds), queries, json.loads(answers[0])


def content(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    if response.streaming:
        return b"".join(response.streaming_content)
    return response.content


def numbers(get: Callable[[str], Asked], rows: int) -> Iterator[Line]:
    for what, address in ANALYTICS.items():
        mark = "&" if "?" in address else "?"
        asked = [get(f"/api/v1/analytics/{address}{mark}range={days}") for days in DAYS]
        is_long = "streamed" in what
        yield Line(
            what=f"API, {what}: {', '.join(DAYS)} days; {spaced(rows)} rollup rows",
            peers="",
            ours=" · ".join(f"{ms:.0f} ms, {queries} SQL" for ms, queries, _ in asked),
            target="printed" if is_long else f"≤ {LIMIT_MS} ms",
            reached=None if is_long else max(ms for ms, *_ in asked) <= LIMIT_MS,
            verified=f"{spaced(len(asked[-1][2]['results']))} rows of the year",
        )


def lists(get: Callable[[str], Asked], count: int) -> Iterator[Line]:
    for what, query in LISTS.items():
        query = query.format(last=count // 100)
        ms, queries, found = get(f"/api/v1/products/{query}")
        plain, limit = "", float(LIMIT_MS)
        if what.endswith("page"):
            slow, many, other = get(f"/plain/{query}")
            limit = min(limit, slow)
            plain = f"plain ModelViewSet {slow:.0f} ms, {many} SQL"
            assert other["count"] == found["count"] == count
        yield Line(
            what=f"API, list of {spaced(count)} products, {what}, 100 of them",
            peers=plain,
            ours=f"{ms:.0f} ms, {queries} SQL",
            target=f"≤ {limit:.0f} ms",
            reached=ms <= limit,
            verified=f"{spaced(found['count'])} found",
        )


def upserts(count: int, plain: int) -> Iterator[Line]:
    from . import api_peer

    client = signed_in()
    for state, price in UPSERTS.items():
        ours = rows_of("U", count, price)
        seconds, queries = once(partial(sent, client, ours, state))
        peer = rows_of("V", plain, price)
        slow, many = once(partial(api_peer.upsert, peer))
        yield Line(
            what=f"API, bulk upsert of {spaced(count)} products, {state}",
            peers=f"a serializer that saves for each: {spaced(plain / slow)} rows/s, "
            f"{many / plain:.1f} SQL a row",
            ours=f"{spaced(count / seconds)} rows/s, {queries} SQL in all",
            target=f"≥ {spaced(ROWS_PER_S)} rows/s",
            reached=count / seconds >= ROWS_PER_S,
            verified=saved(count, price),
        )


def rows_of(letter: str, count: int, price: str) -> list[dict[str, Any]]:
    return [
        {
            "sku": f"{letter}-{number}",
            "name": f"Row {letter} {number}",
            "slug": f"row-{letter.lower()}-{number}",
            "category": "all",
            "price": price,
        }
        for number in range(count)
    ]


def sent(client: Any, rows: list[dict[str, Any]], expected: str) -> None:
    address, kind = "/api/v1/products/bulk/", "application/json"
    response = client.post(address, json.dumps(rows), content_type=kind)
    assert json.loads(content(response))[expected] == len(rows)


def once(do: Callable[[], Any]) -> tuple[float, int]:
    """Seconds and SQL queries, which are too many to be kept."""
    from django.db import connection

    asked = 0

    def note(execute: Any, *words: Any) -> Any:
        nonlocal asked
        asked += 1
        return execute(*words)

    with connection.execute_wrapper(note):
        started = time.perf_counter()
        do()
        return time.perf_counter() - started, asked


def saved(count: int, price: str) -> str:
    from products.models import Product

    found = Product.objects.filter(sku__startswith="U-", price=price).count()
    sign = "=" if found == count else "≠"
    return f"{spaced(count)} sent {sign} {spaced(found)} saved"


if __name__ == "__main__":
    report.main(measure)
