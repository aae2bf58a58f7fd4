"""The catalogue's part in the analytics: views counted by product, for ever."""

import pytest
from django.db import connection

from analytics.models import Rollup
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import Label, declared_kwargs, get_dimensions
from analytics.rollup.direct import count_events
from products import chunks, dimensions
from products.dimensions import DELETED, DETAIL, describe, resolve
from products.models import DailyProductTraffic, FormerSlug
from tests.analytics.recording.events import event
from tests.products.making import product


def shown(slug: str, **changes):
    values = {"view": DETAIL, "kwargs": {"slug": slug}, "status": 200}
    return event(**(values | changes))


def rename(found, slug: str) -> None:
    found.slug = slug
    found.save()


def views() -> dict[str, int]:
    rows = Rollup.objects.filter(dimension="product", grain=Grain.DAY)
    return dict(rows.values_list("key", "views"))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "brass-pen"),
        ({"status": 304}, "brass-pen"),
        ({"status": 301}, None),
        ({"status": 404}, None),
        ({"status": 500}, None),
        ({"view": "products:list"}, None),
        ({"kwargs": {}}, None),
    ],
)
def test_product_is_the_slug_of_a_shown_page(changes, key):
    assert dimensions.product(shown("brass-pen", **changes)) == key


def test_is_discovered_and_its_argument_is_kept():
    assert "product" in [dimension.name for dimension in get_dimensions()]
    assert declared_kwargs()[DETAIL] == ("slug",)


@pytest.mark.django_db
def test_a_renamed_product_keeps_its_history():
    pen = product("pen")
    count_events([shown("pen"), shown("pen")], "before")
    rename(pen, "brass-pen")
    # The last one was on its way while the product was renamed.
    count_events([shown("brass-pen"), shown("pen")], "after")
    assert views() == {str(pen.pk): 4}


@pytest.mark.django_db
def test_an_address_counts_for_who_has_it_now():
    pen = product("pen")
    rename(pen, "brass-pen")
    other = product("pen", sku="NEW")
    count_events([shown("pen")], "test")
    assert views() == {str(other.pk): 1}


@pytest.mark.django_db
def test_what_nobody_has_is_counted_as_deleted_and_forgeries_are_not():
    count_events([shown("gone"), shown("lost"), shown("a b"), shown("\0")], "test")
    assert views() == {DELETED: 2}


@pytest.mark.django_db
def test_resolve_asks_once_for_a_batch(django_assert_num_queries):
    pens = [product(f"pen-{number}") for number in range(3)]
    rename(pens[0], "brass-pen")
    slugs = ["pen-0", "brass-pen", "pen-1", "pen-2", "gone"]
    with django_assert_num_queries(1):
        keys = resolve(slugs)
    assert keys == {
        "pen-0": str(pens[0].pk),
        "brass-pen": str(pens[0].pk),
        "pen-1": str(pens[1].pk),
        "pen-2": str(pens[2].pk),
        "gone": DELETED,
    }


@pytest.mark.django_db
def test_a_product_may_get_its_old_address_back_meanwhile():
    pen = product("pen")
    rename(pen, "brass-pen")
    asked = []

    def rename_back(execute, sql, *rest):
        answer = execute(sql, *rest)
        if not asked:
            asked.append(sql)
            rename(pen, "pen")
        return answer

    with connection.execute_wrapper(rename_back):
        assert resolve(["pen"]) == {"pen": str(pen.pk)}
    assert pen.slug == "pen"


@pytest.mark.django_db
def test_a_current_address_is_stronger_than_a_former_one():
    pens = [product("pen"), product("cup"), product("mug")]
    FormerSlug.objects.create(slug="cup", product=pens[0])
    FormerSlug.objects.create(slug="mug", product=pens[0])
    keys = resolve(["pen", "cup", "mug"])
    assert keys == {pen.slug: str(pen.pk) for pen in pens}


@pytest.mark.django_db
def test_a_batch_may_have_more_slugs_than_a_query_takes(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 2)
    pens = {f"pen-{number}": product(f"pen-{number}") for number in range(5)}
    FormerSlug.objects.create(slug="old", product=pens["pen-3"])
    keys = resolve([*pens, "old", "gone-1", "gone-2"])
    expected = {slug: str(pen.pk) for slug, pen in pens.items()}
    assert keys == expected | {
        "old": str(pens["pen-3"].pk),
        "gone-1": DELETED,
        "gone-2": DELETED,
    }


@pytest.mark.django_db
def test_a_key_is_described_by_name_and_page(django_assert_num_queries):
    pen, cup = product("pen", name="Brass Pen"), product("cup")
    keys = [str(pen.pk), str(cup.pk), "987654321", DELETED, "(other)", "9" * 200]
    with django_assert_num_queries(1):
        labels = describe(keys)
    page = f"/admin/products/product/{pen.pk}/change/"
    assert labels[str(pen.pk)] == Label("Brass Pen", page, "products.view_product")
    assert labels["987654321"] == Label("(deleted) 987654321")
    assert set(labels) == {str(pen.pk), str(cup.pk), "987654321"}


@pytest.mark.django_db
def test_daily_product_traffic_is_peoples_days():
    pen = product("pen")
    count_events([shown("pen"), shown("pen", agent="Googlebot/2.1")], "test")
    rows = DailyProductTraffic.objects.values_list("key", "views", "grain")
    assert list(rows) == [(str(pen.pk), 1, Grain.DAY)]
