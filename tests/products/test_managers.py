"""The named questions to the catalogue."""

import pytest

from products.models import Category, Product
from tests.products.making import category, product

pytestmark = pytest.mark.django_db


def slugs(products) -> list[str]:
    return [each.slug for each in products.order_by("slug")]


def test_available_leaves_out_inactive_products_but_not_sold_out_ones():
    product("sold-out", stock=0)
    product("hidden", is_active=False)
    assert slugs(Product.objects.available()) == ["sold-out"]


def test_stock_is_out_or_low_or_neither():
    for stock in (0, 1, 5, 6):
        product(f"mug-{stock}", stock=stock)
    assert slugs(Product.objects.sold_out()) == ["mug-0"]
    assert slugs(Product.objects.low_stock()) == ["mug-1", "mug-5"]
    assert slugs(Product.objects.low_stock(1)) == ["mug-1"]
    assert slugs(Product.objects.in_stock()) == ["mug-1", "mug-5", "mug-6"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["lamp", "mug"]),
        ("MUG", ["mug"]),
        ("tea heavy", ["mug"]),
        ("heavy light", []),
        ("lighting", ["lamp"]),
        ("pg-7", ["lamp"]),
        ("%", []),
        ("_", []),
    ],
)
def test_matching_wants_each_word_somewhere(text, found):
    product("mug", description="A heavy one, for tea.")
    product("lamp", sku="PG-7", category="lighting")
    assert slugs(Product.objects.matching(text)) == found


def test_with_category_needs_no_further_query(django_assert_num_queries):
    product("mug")
    product("lamp", category="lighting")
    with django_assert_num_queries(1):
        names = {each.category.name for each in Product.objects.with_category()}
    assert names == {"Kitchen", "Lighting"}


def test_categories_in_use_have_something_to_see():
    category("empty")
    product("mug")
    product("other-mug")
    product("lamp", category="lighting", is_active=False)
    assert [each.slug for each in Category.objects.in_use()] == ["kitchen"]


def test_categories_count_their_products_hidden_ones_too():
    category("empty")
    product("mug")
    product("pan", is_active=False)
    counts = {each.slug: each.product_count for each in Category.objects.with_counts()}
    assert counts == {"empty": 0, "kitchen": 2}
