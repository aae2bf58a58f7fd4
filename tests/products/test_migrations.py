"""A database of before there were categories, brought to now and back."""

import datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, NOW = "0001_initial", "0005_product_keys"
DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def migrate(name: str):
    """To a state of the catalogue; what gives the models as they were then."""
    executor = MigrationExecutor(connection)
    executor.migrate([("products", name)])
    others = executor.loader.graph.leaf_nodes("analytics")
    return executor.loader.project_state([("products", name), *others]).apps.get_model


@pytest.fixture
def old_database():
    yield migrate(BEFORE)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def make_product(model, slug: str, category: str):
    return model.objects.create(name=slug, slug=slug, category=category, price="9.50")


def count(model, key: str, views: int) -> None:
    model.objects.create(
        site="default",
        dimension="product",
        grain=2,
        bucket=DAY,
        key=key,
        audience=0,
        views=views,
    )


def keys(model) -> dict[str, int]:
    return dict(model.objects.values_list("key", "views"))


def test_an_old_catalogue_gets_categories_and_numbers(old_database):
    old = old_database("products", "Product")
    mug = make_product(old, "mug", "kitchen")
    make_product(old, "pan", "kitchen")
    make_product(old, "lamp", "lighting")
    new = migrate(NOW)("products", "Product")
    found = new.objects.get(slug="mug")
    assert (found.category.name, found.category.slug) == ("Kitchen", "kitchen")
    assert (found.sku, found.currency) == (f"PG-{mug.pk:04}", "EUR")
    names = new.objects.order_by("slug").values_list("category__name", flat=True)
    assert list(names) == ["Lighting", "Kitchen", "Kitchen"]
    back = migrate(BEFORE)("products", "Product")
    assert dict(back.objects.values_list("slug", "category")) == {
        "mug": "kitchen",
        "pan": "kitchen",
        "lamp": "lighting",
    }


def test_an_empty_catalogue_stays_empty(old_database):
    assert not migrate(NOW)("products", "Category").objects.exists()


def test_what_was_counted_by_slug_is_filed_by_primary_key(old_database):
    model = old_database("products", "Product")
    mug = make_product(model, "mug", "kitchen")
    # The slug of one is the primary key of the other, which must not mix them.
    two = make_product(model, str(mug.pk), "kitchen")
    rollup = old_database("analytics", "Rollup")
    before = {"mug": 1, str(mug.pk): 2, "gone": 3, "(other)": 4, "98765": 5}
    for key, views in before.items():
        count(rollup, key, views)
    after = keys(migrate(NOW)("analytics", "Rollup"))
    assert after == {
        str(mug.pk): 1,
        str(two.pk): 2,
        "gone": 3,
        "(other)": 4,
        "(deleted) 98765": 5,
    }
    back = keys(migrate(BEFORE)("analytics", "Rollup"))
    assert {key: back[key] for key in ("mug", str(mug.pk))} == {
        "mug": 1,
        str(mug.pk): 2,
    }
