"""The product model: what visitors may see, what the database refuses."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from products.catalogue import CATALOGUE, seed
from products.models import Product

pytestmark = pytest.mark.django_db


def make(slug: str = "mug", **fields) -> Product:
    defaults = {"name": "Mug", "category": "kitchen", "price": Decimal("9.50")}
    return Product.objects.create(slug=slug, **(defaults | fields))


def test_available_leaves_out_inactive_products_but_not_sold_out_ones():
    sold_out = make("sold-out", stock=0)
    make("hidden", is_active=False)
    assert list(Product.objects.available()) == [sold_out]


def test_address_is_made_of_the_slug():
    assert make("brass-pen").get_absolute_url() == "/products/brass-pen/"


def test_database_refuses_a_negative_price():
    with pytest.raises(IntegrityError), transaction.atomic():
        make(price=Decimal("-0.01"))


def test_seed_fills_an_empty_catalogue_once():
    assert seed() == len(CATALOGUE)
    assert seed() == 0
    assert Product.objects.count() == len(CATALOGUE)


def test_seed_does_not_bring_back_what_staff_deleted():
    seed()
    Product.objects.get(slug="door-mat").delete()
    seed()
    assert not Product.objects.filter(slug="door-mat").exists()


def test_seeded_products_are_valid():
    seed()
    for product in Product.objects.all():
        product.full_clean()
