"""The catalogue's part in the analytics: views counted by product, for ever."""

import pytest
from django.db import connection

from analytics.models import Rollup
from analytics.reporting import queries
from analytics.rollup.buckets import Grain
from analytics.rollup.dimensions import Label, declared_kwargs, get_dimensions
from analytics.rollup.direct import count_events
from products import chunks, dimensions
from products.dimensions import (
    CATEGORY,
    DELETED,
    DETAIL,
    describe,
    resolve,
    resolve_categories,
    resolve_pairs,
)
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


# Categories and pairs.


def rows_of(dimension: str) -> dict[str, int]:
    rows = Rollup.objects.filter(dimension=dimension, grain=Grain.DAY)
    return dict(rows.values_list("key", "views"))


@pytest.mark.django_db
def test_a_category_is_its_own_page_and_those_of_its_products():
    pen = product("pen")
    home = str(pen.category.pk)
    page = event(view=CATEGORY, kwargs={"slug": pen.category.slug})
    lost = event(view=CATEGORY, kwargs={"slug": "gone"})
    count_events([shown("pen"), shown("pen"), page, lost, shown("gone")], "x")
    assert rows_of("category") == {home: 3, DELETED: 2}
    assert queries.labels_of(queries.dimension_of("category"), [home, DELETED]) == {
        home: Label(
            pen.category.name,
            f"/admin/products/category/{home}/change/",
            "products.view_category",
        ),
        DELETED: Label(DELETED),
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("product_referrer", {"referrer": "a.example.org"}),
        ("product_campaign", {"campaign": "news / mail / -"}),
    ],
)
def test_a_product_and_where_people_came_from(name, words):
    pen = product("pen")
    (other,) = words.values()
    count_events([shown("pen", **words), shown("pen"), event(**words)], "before")
    rename(pen, "brass-pen")
    count_events([shown("pen", **words), shown("brass-pen", **words)], "after")
    key = f"{pen.pk} × {other}"
    assert rows_of(name) == {key: 3}
    label = queries.labels_of(queries.dimension_of(name), [key])[key]
    assert label == Label(
        f"{pen.name} × {other}",
        f"/admin/products/product/{pen.pk}/change/",
        "products.view_product",
    )


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["referrer", "campaign"])
def test_a_pair_is_cut_behind_the_product_it_is_stored_as(name):
    pen = product("p" * 120, sku="PEN")
    rename(pen, "pen")
    words = {name: "a" * 190}
    count_events([shown("p" * 120, **words), shown("pen", **words)], "x")
    assert rows_of(f"product_{name}") == {f"{pen.pk} × {'a' * 190}"[:200]: 2}


@pytest.mark.django_db
def test_pairs_that_are_one_when_cut_are_one_row():
    gone = "tv"
    hosts = ["a" * 193 + char * 3 for char in "xyz"]
    events = [shown(gone, referrer=host) for host in (*hosts, "b.example.org")]
    count_events(events, "x")
    first, second = sorted(rows_of("product_referrer").items())
    assert (len(first[0]), first[1]) == (200, 3)
    assert second == (f"{DELETED} × b.example.org", 1)


@pytest.mark.django_db
def test_a_batch_may_have_more_products_than_a_query_takes(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 2)
    pens = [product(f"pen-{number}") for number in range(5)]
    keys = resolve_categories([f"/{pen.slug}" for pen in pens])
    assert keys == {f"/{pen.slug}": str(pen.category_id) for pen in pens}


@pytest.mark.django_db
def test_categories_are_found_by_their_name():
    home = product("pen").category
    found = queries.dimension_of("category").find
    assert found(home.name[1:].upper()) == [str(home.pk)]
    assert found("nothing") == []


@pytest.mark.django_db
def test_resolving_categories_and_pairs_takes_few_queries(
    django_assert_max_num_queries,
):
    product("pen"), product("cup")
    events = [
        shown(slug, referrer=f"{n}.example.org")
        for n in range(9)
        for slug in ("pen", "cup")
    ]
    with django_assert_max_num_queries(4):
        resolve_categories([dimensions.category(one) for one in events])
    with django_assert_max_num_queries(2):
        resolve_pairs([dimensions.product_from("referrer")(one) for one in events])
