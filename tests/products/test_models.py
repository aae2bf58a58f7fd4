"""Products, categories and former addresses: what is kept, what is refused."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from products.catalogue import CATALOGUE, seed
from products.models import Category, FormerSlug, Product
from tests.products.making import category, product

pytestmark = pytest.mark.django_db


def rename(found: Product, slug: str) -> None:
    found.slug = slug
    found.save()


def former() -> dict[str, str]:
    """Former slugs, and the SKUs of the products that they lead to."""
    return dict(FormerSlug.objects.values_list("slug", "product__sku"))


def test_address_is_made_of_the_slug():
    assert product("brass-pen").get_absolute_url() == "/products/brass-pen/"
    assert category("tea").get_absolute_url() == "/products/category/tea/"


def test_database_refuses_a_negative_price():
    with pytest.raises(IntegrityError), transaction.atomic():
        product(price=Decimal("-0.01"))


def test_a_category_with_products_stays():
    found = product().category
    with pytest.raises(ProtectedError):
        found.delete()


@pytest.mark.parametrize("taken", [("mug", "NEW"), ("new", "MUG")])
def test_database_refuses_a_second(taken):
    product("mug", sku="MUG")
    slug, sku = taken
    with pytest.raises(IntegrityError), transaction.atomic():
        product(slug, sku=sku)


@pytest.mark.parametrize("sku", ["pg-1", "PG 1", "=1", "-1", "PG-1\n", ""])
def test_a_bad_sku_is_refused(sku):
    with pytest.raises(ValidationError) as refused:
        product(sku=sku).full_clean()
    assert "sku" in refused.value.message_dict


@pytest.mark.parametrize("currency", ["eur", "E", "€", "E R", ""])
def test_a_bad_currency_is_refused(currency):
    with pytest.raises(ValidationError) as refused:
        product(currency=currency).full_clean()
    assert "currency" in refused.value.message_dict


@pytest.mark.parametrize(
    ("currency", "text"), [("EUR", "€\xa01,234.50"), ("CHF", "CHF\xa01,234.50")]
)
def test_price_names_its_currency(currency, text):
    found = product(price=Decimal("1234.50"), currency=currency)
    assert found.price_text == text


@pytest.mark.parametrize(("stock", "low"), [(0, False), (1, True), (5, True), (6, 0)])
def test_few_pieces_are_low_stock(stock, low):
    assert product(stock=stock).is_low == low


def test_a_picture_is_there_for_every_category():
    assert category("office").picture == "office"
    assert category("spaceships").picture == "goods"


def test_a_renamed_product_keeps_its_old_address():
    pen = product("pen")
    rename(pen, "brass-pen")
    rename(pen, "golden-pen")
    assert former() == {"pen": "PEN", "brass-pen": "PEN"}


def test_a_save_that_renames_nothing_keeps_nothing():
    pen = product("pen")
    pen.stock = 3
    pen.save()
    pen.save(update_fields=["stock"])
    assert former() == {}


def test_an_old_copy_of_a_product_cannot_hide_its_address():
    old = product("pen")
    rename(Product.objects.get(), "brass-pen")
    old.save()
    assert Product.objects.get().slug == "pen"
    assert former() == {"brass-pen": "PEN"}


def test_a_product_that_returns_to_its_address_has_it_once():
    pen = product("pen")
    rename(pen, "brass-pen")
    rename(pen, "pen")
    assert former() == {"brass-pen": "PEN"}


def test_a_former_address_is_free_for_another_product():
    rename(product("pen"), "brass-pen")
    product("pen", sku="NEW")
    assert former() == {}


def test_two_products_can_swap_their_addresses():
    pen, cup = product("pen"), product("cup")
    rename(pen, "between")
    rename(cup, "pen")
    rename(pen, "cup")
    assert former() == {"between": "PEN"}


def test_an_address_goes_with_its_product():
    pen = product("pen")
    rename(pen, "brass-pen")
    pen.delete()
    assert former() == {}


def test_seed_fills_an_empty_catalogue_once():
    assert seed() == len(CATALOGUE)
    assert seed() == 0
    assert Product.objects.count() == len(CATALOGUE)
    assert Category.objects.count() == 5


def test_seed_keeps_categories_that_are_there():
    category("kitchen", name="Küche")
    seed()
    assert Category.objects.get(slug="kitchen").name == "Küche"


def test_seed_does_not_bring_back_what_staff_deleted():
    seed()
    Product.objects.get(slug="door-mat").delete()
    seed()
    assert not Product.objects.filter(slug="door-mat").exists()


def test_seeded_products_are_valid():
    seed()
    for found in [*Product.objects.all(), *Category.objects.all()]:
        found.full_clean()
    assert Product.objects.filter(sku="PG-0001").exists()
