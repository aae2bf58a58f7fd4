"""The demo's products: valid, of all kinds, and in nobody's place."""

from decimal import Decimal

import pytest

from products.demo import shelf
from products.demo.catalogue import (
    HITS,
    LAUNCHES,
    SOLD_OUT,
    WITHDRAWN,
    Item,
    items,
)
from products.demo.plan import CAMPAIGNS
from products.models import Category, Product
from tests.products.demo.making import plan_of


@pytest.mark.django_db
def test_products_are_valid_and_diverse(catalogue):
    assert shelf.put(plan_of(10)) == 175
    products = Product.objects.filter(sku__startswith="DEMO-")
    for one in products:
        one.full_clean()
    assert Product.objects.count() == 199
    assert Category.objects.count() == 7
    assert products.filter(stock=0).count() == 3
    assert products.filter(is_active=False).count() == 4
    assert products.values("price").distinct().count() > 40
    assert products.filter(price__lt=Decimal(1)).count() == 0


@pytest.mark.django_db
def test_new_products_are_younger(catalogue):
    plan = plan_of(10)
    shelf.put(plan)
    new = Product.objects.get(name="Ladder Shelf")
    old = Product.objects.get(name="Key Rack")
    assert old.created < plan.days[0].start < new.created == plan.days[9].start


@pytest.mark.django_db
def test_it_takes_no_address_and_no_number_from_anybody(catalogue):
    name = catalogue_item("DEMO-0005").slug
    other = Product.objects.first()
    other.slug = name
    other.save()
    Product.objects.exclude(pk=other.pk).filter(sku="PG-0002").update(sku="DEMO-0009")
    assert shelf.put(plan_of(2)) == 173
    assert Product.objects.get(slug=name) == other


def catalogue_item(sku: str) -> Item:
    return next(item for item in items() if item.sku == sku)


def test_every_name_in_the_tables_is_a_product():
    names = {item.name for item in items()}
    told = set(HITS) | set(LAUNCHES) | SOLD_OUT
    told |= WITHDRAWN
    told |= {name for campaign in CAMPAIGNS for name in campaign.products}
    assert told <= names
