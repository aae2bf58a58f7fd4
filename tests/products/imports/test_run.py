"""Imports carried out: what they report, and what makes them stop."""

import pytest

from products.imports.refusal import Refused
from products.imports.run import confirm, conflicts, preview
from products.imports.uploads import Table
from products.models import Product
from tests.products.making import category, product

pytestmark = pytest.mark.django_db


def table(*rows, headers=("sku", "stock")) -> Table:
    return Table(list(headers), [list(row) for row in rows], [*range(2, len(rows) + 2)])


def test_preview_counts_and_shows_changes_first():
    for slug in ("mug", "cup"):
        product(slug)
    outcome, draft = preview(table(("MUG", 10), ("CUP", 3)), "a.csv", 1)
    assert outcome.summary == "0 new, 1 updated, 1 unchanged"
    assert [(number, row.sku) for number, row in outcome.rows] == [
        (3, "CUP"),
        (2, "MUG"),
    ]
    assert outcome.rows[0][1].changes == [("stock", 10, 3)]
    assert set(draft.versions) == {"MUG", "CUP"}
    assert Product.objects.get(sku="CUP").stock == 10


def test_preview_asks_thrice_and_locks_nothing(django_assert_num_queries):
    rows = [(product(f"p-{number}").sku, 1) for number in range(30)]
    with django_assert_num_queries(3) as captured:
        preview(table(*rows), "a.csv", 1)
    assert all(query["sql"].startswith("SELECT") for query in captured.captured_queries)


def test_confirm_says_what_was_saved():
    category("kitchen")
    product("mug")
    rows = [("MUG", 3, "Mug", "kitchen", 1), ("CUP", 1, "Cup", "kitchen", 1)]
    headers = ("sku", "stock", "name", "category", "price")
    _, draft = preview(table(*rows, headers=headers), "a.csv", 1)
    _, saved = confirm(draft)
    assert [(each.sku, new, each.pk > 0) for each, new in saved] == [
        ("MUG", False, True),
        ("CUP", True, True),
    ]


def test_no_conflict_without_a_change():
    product("mug")
    product("cup")
    _, draft = preview(table(("MUG", 3)), "a.csv", 1)
    Product.objects.get(sku="CUP").save()
    assert conflicts(draft) == []


def test_unchanged_rows_count_as_conflicts_too():
    product("mug")
    product("cup")
    _, draft = preview(table(("MUG", 10), ("CUP", 3)), "a.csv", 1)
    mug = Product.objects.get(sku="MUG")
    mug.stock = 20
    mug.save()
    assert conflicts(draft) == ["MUG"]
    with pytest.raises(Refused, match=r"preview: MUG\. Upload"):
        confirm(draft)
    assert Product.objects.get(sku="CUP").stock == 10


def test_a_few_conflicts_are_named_and_the_others_counted():
    rows = [(product(f"p-{number:02}").sku, 1) for number in range(25)]
    _, draft = preview(table(*rows), "a.csv", 1)
    Product.objects.all().delete()
    with pytest.raises(Refused, match=r"P-19 and 5 more\."):
        confirm(draft)
