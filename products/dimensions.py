"""What the catalogue adds to the analytics: requests counted by product.

Reads products and their former addresses, for a batch of events at a time. An event
knows a product by the slug in its address, the tables know it by its primary key: so
what was counted stays with a product that is renamed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

from django.db import connection
from django.db.models import Q
from django.urls import reverse

from analytics.recording.event import RequestEvent
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import SEPARATOR, Card, Dimension, Label
from products.chunks import chunks
from products.models import Category, Product

DETAIL = "products:detail"
CATEGORY = "products:category"
OF_PRODUCT = "/"
"""No slug has it."""
VIEW = "products.view_product"
VIEW_CATEGORY = "products.view_category"
FOUND_LIMIT = 500
# One question: between two, a product may get an old address back. Asked several times
# for each batch of events, and in SQL three times as fast.
OF_SLUGS = """
    SELECT slug, product_id, 0 FROM products_formerslug WHERE slug IN (?)
    UNION ALL
    SELECT slug, id, 1 FROM products_product WHERE slug IN (?)
"""
DELETED = "(deleted)"
"""The one key of all slugs that no product has or had."""

is_slug = re.compile(r"[-a-zA-Z0-9_]+").fullmatch
is_number = re.compile(r"[0-9]{1,18}").fullmatch


def product(event: RequestEvent) -> str | None:
    """The slug of the product whose page was shown; None for all else."""
    return _slug_of(event, DETAIL)


def _slug_of(event: RequestEvent, view: str) -> str | None:
    """The one in the address, if that is the view, and it was shown."""
    shown = event.status < 300 or event.status == 304
    return event.kwargs.get("slug") if event.view == view and shown else None


def resolve(slugs: Sequence[str]) -> dict[str, str]:
    """Slug -> primary key; what can't be a slug was made up, and is left out."""
    found = dict.fromkeys(filter(is_slug, slugs), DELETED)
    for part in chunks(list(found)):
        with connection.cursor() as cursor:
            marks = ", ".join(["%s"] * len(part))
            cursor.execute(OF_SLUGS.replace("?", marks), [*part, *part])
            rows = sorted(cursor.fetchall(), key=itemgetter(2))
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


def find(text: str) -> list[str]:
    """The primary keys of products that have ``text`` in name or SKU."""
    matches = Q(name__icontains=text) | Q(sku__icontains=text)
    pks = Product.objects.filter(matches).order_by("pk").values_list("pk", flat=True)
    return [str(pk) for pk in pks[:FOUND_LIMIT]]


def product_from(name: str) -> Callable[[RequestEvent], str | None]:
    """A key function: the product, with the event's referrer or campaign."""

    def key(event: RequestEvent) -> str | None:
        slug, other = product(event), getattr(event, name)
        return f"{slug}{SEPARATOR}{other}" if slug and other else None

    return key


def resolve_pairs(keys: Sequence[str]) -> dict[str, str]:
    """As `resolve`, for the first half of each key."""
    halves = {key: key.partition(SEPARATOR) for key in keys}
    stored = resolve([slug for slug, _, _ in halves.values()])
    return {
        key: f"{stored[slug]}{SEPARATOR}{other}"
        for key, (slug, _, other) in halves.items()
        if slug in stored
    }


def describe_pairs(keys: Sequence[str]) -> dict[str, Label]:
    """As `describe`, for the first half of each key."""
    halves = {key: key.partition(SEPARATOR) for key in keys}
    labels = describe(list(dict.fromkeys(pk for pk, _, _ in halves.values())))
    return {
        key: labels[pk]._replace(text=f"{labels[pk].text}{SEPARATOR}{other}")
        for key, (pk, _, other) in halves.items()
        if pk in labels
    }


def category(event: RequestEvent) -> str | None:
    """Of a category's page its slug, of a product's page the product's, marked."""
    if slug := product(event):
        return OF_PRODUCT + slug
    return _slug_of(event, CATEGORY)


def resolve_categories(keys: Sequence[str]) -> dict[str, str]:
    """Key -> primary key of the category, of a product its present one."""
    slugs = {key: key.removeprefix(OF_PRODUCT) for key in keys}
    of_products = resolve([slugs[key] for key in keys if key.startswith(OF_PRODUCT)])
    homes = {}
    for part in chunks(list(set(filter(is_number, of_products.values())))):
        rows = Product.objects.filter(pk__in=part).order_by()
        homes |= {str(pk): str(home) for pk, home in rows.values_list("pk", "category")}
    names = dict(Category.objects.values_list("slug", "pk"))
    found = {}
    for key, slug in slugs.items():
        if key.startswith(OF_PRODUCT):
            found[key] = homes.get(of_products.get(slug, ""), DELETED)
        else:
            found[key] = str(names.get(slug, DELETED))
    return found


def describe_categories(keys: Sequence[str]) -> dict[str, Label]:
    """Primary key -> the category's name, and its page in the admin."""
    rows = Category.objects.filter(pk__in=filter(is_number, keys))
    return {
        str(pk): Label(
            name, reverse("admin:products_category_change", args=[pk]), VIEW_CATEGORY
        )
        for pk, name in rows.values_list("pk", "name")
    }


def find_categories(text: str) -> list[str]:
    """The primary keys of categories that have ``text`` in their name."""
    found = Category.objects.filter(name__icontains=text).order_by("pk")
    return [str(pk) for pk in found.values_list("pk", flat=True)[:FOUND_LIMIT]]


PAGE = ("view", "status", "kwargs")
"""The event's fields that tell whose page was shown."""
DAYS_ONLY = {Grain.DAY: None}
"""Pairs have many keys: their hours are not kept."""
PAIRS = {
    "kwargs": {DETAIL: ("slug",)},
    "days": DAYS_ONLY,
    "cap": 5_000,
    "resolve": resolve_pairs,
    "describe": describe_pairs,
}
DIMENSIONS = (
    Dimension(
        name="product",
        label="Product",
        key=product,
        reads=PAGE,
        meaning="The product whose page was shown, whatever its address was then.",
        kwargs={DETAIL: ("slug",)},
        visitors=True,
        cap=5_000,
        resolve=resolve,
        describe=describe,
        find=find,
        card=Card("Products"),
    ),
    Dimension(
        name="category",
        label="Category",
        key=category,
        reads=PAGE,
        meaning="The category whose page, or one of whose products, was shown.",
        kwargs={DETAIL: ("slug",), CATEGORY: ("slug",)},
        visitors=True,
        resolve=resolve_categories,
        describe=describe_categories,
        find=find_categories,
    ),
    Dimension(
        name="product_referrer",
        label="Product × referrer",
        key=product_from("referrer"),
        reads=(*PAGE, "referrer"),
        meaning="A product, with the other site whose link led to its page.",
        **PAIRS,
    ),
    Dimension(
        name="product_campaign",
        label="Product × campaign",
        key=product_from("campaign"),
        reads=(*PAGE, "campaign"),
        meaning="A product, with the campaign whose link led to its page.",
        **PAIRS,
    ),
)
