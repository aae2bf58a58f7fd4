"""A database of before there were categories, brought to now and back."""

import datetime

import pytest
from django.conf import settings
from django.db import connection, connections
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


@pytest.fixture
def other_database(old_database, tmp_path):
    """A second one, as old, beside the one that everything goes to by default."""
    name = str(tmp_path / "other.sqlite3")
    values = {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": {}}
    connections.settings["other"] = connections.settings["default"] | values
    # Tests may not open any but the default one, unless it is open already.
    connections["other"].connect()
    MigrationExecutor(connections["other"]).migrate([("products", BEFORE)])
    yield "other"
    connections["other"].close()
    del connections.settings["other"]


@pytest.mark.skipif(settings.USERS_APART, reason="the router knows no third one")
def test_the_database_that_is_migrated_is_the_one_that_changes(
    old_database, other_database
):
    """And no other, although that is where rows come from by default."""
    old = old_database("products", "Product")
    make_product(old, "mug", "kitchen")
    values = {"slug": "pan", "name": "pan", "category": "kitchen", "price": "1"}
    pan = old.objects.using(other_database).create(**values)
    executor = MigrationExecutor(connections[other_database])
    executor.migrate([("analytics", "0001_initial")])
    rollups = old_database("analytics", "Rollup").objects
    for alias in ("default", other_database):
        row = {"site": "default", "dimension": "product", "grain": 2, "bucket": DAY}
        rollups.using(alias).create(**row, key="pan", audience=0)
    executor = MigrationExecutor(connections[other_database])
    state = executor.migrate([("products", NOW)])
    new = state.apps.get_model("products", "Product").objects.using(other_database)
    assert new.get().category.name == "Kitchen"
    assert rollups.using(other_database).get().key == str(pan.pk)
    assert rollups.get().key == "pan"
    assert old.objects.get().category == "kitchen"
