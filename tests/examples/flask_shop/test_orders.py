"""Placing orders: stock, customers, and many who come at once; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from flask_shop.database import create_engine
from flask_shop.models import Customer, Order, Product
from flask_shop.orders import OutOfStock, place
from flask_shop.upgrading import seed, upgrade

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
ADA = ("Ada", "ada@example.org")


@pytest.fixture
def engine(url):
    upgrade(url)
    seed(url)
    engine = create_engine(url)
    yield engine
    engine.dispose()


def stock(engine, slug: str = "clay-pot") -> int:
    with Session(engine) as session:
        return session.scalar(select(Product.stock).where(Product.slug == slug))


def count(engine, model: type) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(model))


def order(engine, slug: str, name: str, email: str, quantity: int) -> None:
    with Session(engine) as session, session.begin():
        place(session, slug, name, email, quantity, NOW)


def test_an_order_takes_from_the_stock_at_the_price_of_the_day(engine):
    order(engine, "clay-pot", *ADA, 2)
    with Session(engine) as session, session.begin():
        session.execute(update(Product).values(price_cents=1))
    with Session(engine) as session:
        found = session.scalars(select(Order)).one()
        assert (found.name, found.quantity, found.total_cents) == ("Ada", 2, 9200)
        assert found.placed == NOW
        assert found.customer.email == "ada@example.org"
        assert found.product.stock == 15


@pytest.mark.parametrize(("slug", "quantity"), [("clay-pot", 18), ("honey-bug", 1)])
def test_what_is_not_there_is_not_sold(engine, slug, quantity):
    before = stock(engine, slug)
    with pytest.raises(OutOfStock):
        order(engine, slug, *ADA, quantity)
    assert stock(engine, slug) == before
    assert count(engine, Order) == count(engine, Customer) == 0


def test_a_customer_is_known_by_the_address(engine):
    order(engine, "clay-pot", *ADA, 1)
    order(engine, "pine-smoke", "Ada Lovelace", "ada@example.org", 1)
    order(engine, "pine-smoke", "Bob", "bob@example.org", 1)
    assert (count(engine, Customer), count(engine, Order)) == (2, 3)


def test_many_at_once_buy_what_is_there_and_no_more(engine):
    """One new customer in many windows: 17 are there, 24 are wanted."""

    def try_one(_: int) -> bool:
        try:
            order(engine, "clay-pot", *ADA, 1)
        except OutOfStock:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        sold = sum(pool.map(try_one, range(24)))
    assert (sold, stock(engine)) == (17, 0)
    assert (count(engine, Order), count(engine, Customer)) == (17, 1)
