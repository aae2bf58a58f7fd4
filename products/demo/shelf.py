"""Puts the demo's products into the catalogue, and takes them away again.

Writes products, and the categories the demo brings. Never changes one that is there,
and removes none that was edited: what somebody worked on is theirs.
"""

from __future__ import annotations

from dataclasses import fields

from django.db import transaction
from django.db.models import F, Q

from products.catalogue import seed_categories
from products.models import Category, FormerSlug, Product

from .catalogue import CATEGORIES, LAUNCHES, PREFIX, Item, items
from .plan import ONE_DAY, Plan

ITEM_FIELDS = tuple(field.name for field in fields(Item))


def put(plan: Plan) -> int:
    """Make the products that are missing; how many those were.

    One whose article number or address is somebody else's is left out.
    """
    with transaction.atomic():
        categories = _categories()
        taken = _taken()
        new = [i for i in items() if i.sku not in taken and i.slug not in taken]
        Product.objects.bulk_create(_product(item, categories) for item in new)
        made = list(Product.objects.filter(sku__in=[item.sku for item in new]))
        for product in made:
            day = plan.at(LAUNCHES.get(product.name, 0))
            age = 0 if product.name in LAUNCHES else 7
            product.created = plan.days[day].start - age * ONE_DAY
        Product.objects.bulk_update(made, ["created"])
    return len(made)


def remove() -> tuple[int, int]:
    """Delete what nobody edited; how many went, and how many stayed."""
    wanted = {item.sku: item for item in items()}
    with transaction.atomic():
        rows = Product.objects.filter(sku__startswith=PREFIX)
        found = rows.annotate(shelf=F("category__slug"))
        gone = [p.pk for p in found if wanted.get(p.sku) == _item(p)]
        gone = rows.filter(pk__in=gone, former_slugs=None)
        count = gone.count()
        gone.delete()
        _remove_categories()
        return count, rows.count()


def _categories() -> dict[str, Category]:
    """By slug: the shop's own, and the demo's."""
    found = seed_categories()
    for slug, name, description, position in CATEGORIES:
        same = Category.objects.filter(Q(slug=slug) | Q(name=name)).first()
        found[slug] = same or Category.objects.create(
            slug=slug, name=name, description=description, position=position
        )
    return found


def _remove_categories() -> None:
    for slug, name, description, position in CATEGORIES:
        Category.objects.filter(
            slug=slug,
            name=name,
            description=description,
            position=position,
            products=None,
        ).delete()


def _taken() -> set[str]:
    """Article numbers and addresses that are somebody's."""
    products = Product.objects.values_list("sku", "slug")
    former = FormerSlug.objects.values_list("slug", flat=True)
    return {word for pair in products for word in pair} | set(former)


def _product(item: Item, categories: dict[str, Category]) -> Product:
    values = {name: getattr(item, name) for name in ITEM_FIELDS}
    return Product(**(values | {"category": categories[item.category]}))


def _item(product: Product) -> Item:
    """A product as it is, for comparison with what was made."""
    values = {name: getattr(product, name) for name in ITEM_FIELDS}
    return Item(**(values | {"category": product.shelf}))
