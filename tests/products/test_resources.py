"""Rows of a spreadsheet as products: found by SKU, checked, saved."""

import pytest
import tablib

from products.models import FormerSlug, Product
from products.resources import ProductResource
from tests.products.making import category, product

pytestmark = pytest.mark.django_db


def load(*rows, dry_run: bool = False):
    header, *rows = rows
    dataset = tablib.Dataset(*rows, headers=header)
    return ProductResource().import_data(
        dataset, dry_run=dry_run, rollback_on_validation_errors=True
    )


def errors(result) -> list[dict]:
    return [row.error_dict for row in result.invalid_rows]


def slugs() -> dict[str, str]:
    return dict(Product.objects.values_list("sku", "slug"))


def test_the_columns_are_these():
    assert ProductResource.columns() == [
        "sku",
        "name",
        "slug",
        "category",
        "description",
        "price",
        "currency",
        "stock",
        "active",
    ]


def test_dry_run_saves_nothing(django_assert_max_num_queries):
    product("mug")
    with django_assert_max_num_queries(12):
        result = load(("sku", "stock"), ("MUG", 99), dry_run=True)
    assert result.totals["update"] == 1
    assert Product.objects.get().stock == 10


def test_empty_cells_leave_values_as_they_are():
    product("mug", description="Heavy.", currency="CHF")
    header = ("sku", "name", "slug", "category", "price", "currency", "stock", "active")
    result = load(header, ("MUG", *[""] * 7))
    assert result.totals["skip"] == 1
    assert load(("sku", "description"), ("MUG", "")).totals["update"] == 1
    assert Product.objects.get().description == ""


def test_new_product_has_its_defaults():
    category("kitchen")
    load(
        ("sku", "name", "category", "price", "currency", "slug"),
        ("CUP", "Big Cup", "kitchen", "5", "", ""),
    )
    cup = Product.objects.get()
    assert (cup.slug, cup.currency, cup.stock, cup.is_active) == (
        "big-cup",
        "EUR",
        0,
        True,
    )
    assert cup.created
    assert cup.updated


def test_new_product_needs_what_has_no_default():
    (found,) = errors(load(("sku",), ("CUP",)))
    assert set(found) == {"name", "slug", "price", "category"}


@pytest.mark.parametrize(
    ("column", "cell"),
    [("price", "-1"), ("price", "1.005"), ("slug", "a b"), ("currency", "EURO")],
)
def test_the_models_own_rules_hold(column, cell):
    product("mug")
    (found,) = errors(load(("sku", column), ("MUG", cell)))
    assert list(found) == [column]


def test_bad_sku_is_an_error():
    category("kitchen")
    header = ("sku", "name", "category", "price")
    (found,) = errors(load(header, ("a b", "Cup", "kitchen", 5)))
    assert list(found) == ["sku"]


def test_sku_may_be_there_once():
    product("mug")
    category("kitchen")
    header = ("sku", "name", "category", "price")
    rows = [("CUP", "Cup", "kitchen", 5), ("cup", "Cup", "kitchen", 5)]
    rows += [("MUG", "Mug", "kitchen", "9.50"), ("MUG", "Mug", "kitchen", "9.50")]
    result = load(header, *rows)
    twice = {"sku": ["It is in more than one row of the file."]}
    assert errors(result) == [twice, twice]
    assert [row.number for row in result.invalid_rows] == [2, 4]


def test_slug_may_be_there_once():
    product("mug")
    category("kitchen")
    header = ("sku", "name", "category", "price", "slug")
    rows = [("A", "A", "kitchen", 5, "mug"), ("B", "B", "kitchen", 5, "b")]
    rows += [("C", "C", "kitchen", 5, "b")]
    assert errors(load(header, *rows)) == [
        {"slug": ["“mug” is the address of MUG."]},
        {"slug": ["“b” is the address of B."]},
    ]


def test_slug_that_a_row_gives_up_can_be_taken_by_a_later_one():
    product("mug")
    product("cup")
    load(("sku", "slug"), ("MUG", "between"), ("CUP", "mug"), ("MUG2", "x"))
    assert slugs() == {"MUG": "mug", "CUP": "cup"}
    load(("sku", "slug"), ("MUG", "between"), ("CUP", "mug"))
    assert slugs() == {"MUG": "between", "CUP": "mug"}
    assert dict(FormerSlug.objects.values_list("slug", "product__sku")) == {
        "cup": "CUP"
    }


def test_new_product_frees_a_former_address():
    mug = product("mug")
    mug.slug = "big-mug"
    mug.save()
    header = ("sku", "name", "category", "price", "slug")
    load(header, ("NEW", "New", "kitchen", 5, "mug"))
    assert slugs()["NEW"] == "mug"
    assert not FormerSlug.objects.exists()


def test_update_in_bulk_changes_what_is_in_the_row_and_the_time():
    mug = product("mug", description="Heavy.")
    product("cup")
    load(("sku", "price", "active"), ("MUG", "12.00", "no"))
    now = Product.objects.get(sku="MUG")
    assert (str(now.price), now.is_active, now.description) == (
        "12.00",
        False,
        "Heavy.",
    )
    assert now.pk == mug.pk
    assert now.created == mug.created
    assert now.updated > mug.updated
    assert Product.objects.get(sku="CUP").is_active


def test_one_bad_row_rolls_back_the_others():
    product("mug")
    result = load(("sku", "price"), ("MUG", "12.00"), ("CUP", "1"))
    assert result.totals["invalid"] == 1
    assert str(Product.objects.get().price) == "9.50"
