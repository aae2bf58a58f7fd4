"""The traffic of a shop: that of ``bench.traffic``, half of it on pages of products.

Writes the products that it is about, and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from analytics.recording.event import RequestEvent, decode

PRODUCTS = 5_000
HOST = "www.example.org"
COUNTRIES = ("AT", "DE", "FR", "GB", "IN", "JP", "US", "")
CAMPAIGNS = tuple(f"news / mail / issue {number}" for number in range(12))


def stock() -> None:
    """The products whose pages are visited."""
    from products.models import Category, Product

    category = Category.objects.create(name="All", slug="all")
    Product.objects.bulk_create(
        Product(
            sku=f"P-{number}",
            name=f"Product {number}",
            slug=f"product-{number}",
            category=category,
            price=1,
        )
        for number in range(1, PRODUCTS + 1)
    )


def visits(lines: Iterable[bytes], seed: int = 11) -> Iterator[RequestEvent]:
    """The events of journal lines with what a shop adds: values for all dimensions."""
    dice = random.Random(seed)
    for number, event in enumerate(map(decode, lines)):
        changes = {
            "host": HOST,
            "country": COUNTRIES[event.visitor % len(COUNTRIES)],
            "campaign": dice.choice(CAMPAIGNS) if number % 10 == 0 else "",
        }
        if number % 2 == 0:
            rank = int(dice.paretovariate(0.3)) % PRODUCTS + 1
            changes |= {
                "view": "products:detail",
                "kwargs": {"slug": f"product-{rank}"},
            }
        yield replace(event, **changes)
