"""What the catalogue adds to the analytics: requests counted by product.

Reads products and their former addresses, for a batch of events at a time. An event
knows a product by the slug in its address, the tables know it by its primary key: so
what was counted stays with a product that is renamed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from django.urls import reverse

from analytics.recording.event import RequestEvent
from analytics.rollup.dimensions import Card, Dimension, Label
from products.models import FormerSlug, Product

DETAIL = "products:detail"
DELETED = "(deleted)"
"""The one key of all slugs that no product has or had."""

is_slug = re.compile(r"[-a-zA-Z0-9_]+").fullmatch
is_number = re.compile(r"[0-9]{1,18}").fullmatch
CHUNK = 5_000
"""So many values fit into a query of any database."""


def product(event: RequestEvent) -> str | None:
    """The slug of the product whose page was shown; None for all else."""
    shown = event.status < 300 or event.status == 304
    return event.kwargs.get("slug") if event.view == DETAIL and shown else None


def resolve(slugs: Sequence[str]) -> dict[str, str]:
    """Slug -> primary key; what can't be a slug was made up, and is left out."""
    found = dict.fromkeys(filter(is_slug, slugs), DELETED)
    for part in _chunks(list(found)):
        rows = Product.objects.filter(slug__in=part).order_by()
        found |= {slug: str(pk) for slug, pk in rows.values_list("slug", "pk")}
    for part in _chunks([slug for slug, key in found.items() if key == DELETED]):
        former = FormerSlug.objects.filter(slug__in=part).order_by()
        found |= {slug: str(pk) for slug, pk in former.values_list("slug", "product")}
    return found


def describe(keys: Sequence[str]) -> Mapping[str, Label]:
    """Primary key -> the product's name, and its page in the admin."""
    pks = [key for key in keys if is_number(key)]
    labels = {key: Label(f"{DELETED} {key}") for key in pks}
    for part in _chunks(pks):
        rows = Product.objects.filter(pk__in=part).order_by()
        for pk, name in rows.values_list("pk", "name"):
            address = reverse("admin:products_product_change", args=[pk])
            labels[str(pk)] = Label(name, address)
    return labels


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


DIMENSIONS = (
    Dimension(
        name="product",
        label="Product",
        key=product,
        kwargs={DETAIL: ("slug",)},
        visitors=True,
        cap=5_000,
        resolve=resolve,
        describe=describe,
        card=Card("Products"),
    ),
)
