"""What the catalogue adds to the analytics: requests counted by product.

Reads products and their former addresses, for a batch of events at a time. An event
knows a product by the slug in its address, the tables know it by its primary key: so
what was counted stays with a product that is renamed.
"""

import re
from collections.abc import Mapping, Sequence
from operator import itemgetter

from django.db.models import Value
from django.urls import reverse

from analytics.recording.event import RequestEvent
from analytics.rollup.dimensions import Card, Dimension, Label
from products.chunks import chunks
from products.models import FormerSlug, Product

DETAIL = "products:detail"
VIEW = "products.view_product"
DELETED = "(deleted)"
"""The one key of all slugs that no product has or had."""

is_slug = re.compile(r"[-a-zA-Z0-9_]+").fullmatch
is_number = re.compile(r"[0-9]{1,18}").fullmatch


def product(event: RequestEvent) -> str | None:
    """The slug of the product whose page was shown; None for all else."""
    shown = event.status < 300 or event.status == 304
    return event.kwargs.get("slug") if event.view == DETAIL and shown else None


def resolve(slugs: Sequence[str]) -> dict[str, str]:
    """Slug -> primary key; what can't be a slug was made up, and is left out."""
    found = dict.fromkeys(filter(is_slug, slugs), DELETED)
    for part in chunks(list(found)):
        former = FormerSlug.objects.filter(slug__in=part).order_by()
        former = former.values_list("slug", "product", Value(0))
        products = Product.objects.filter(slug__in=part).order_by()
        products = products.values_list("slug", "pk", Value(1))
        # One question: between two, a product may get an old address back.
        rows = sorted(former.union(products, all=True), key=itemgetter(2))
        found |= {slug: str(pk) for slug, pk, _ in rows}
    return found


def describe(keys: Sequence[str]) -> Mapping[str, Label]:
    """Primary key -> the product's name, and its page in the admin."""
    pks = [key for key in keys if is_number(key)]
    labels = {key: Label(f"{DELETED} {key}") for key in pks}
    for part in chunks(pks):
        rows = Product.objects.filter(pk__in=part).order_by()
        for pk, name in rows.values_list("pk", "name"):
            address = reverse("admin:products_product_change", args=[pk])
            labels[str(pk)] = Label(name, address, VIEW)
    return labels


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
