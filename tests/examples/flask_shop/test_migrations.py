"""Up, down and up again: on both databases, with nothing lost on the way."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from flask_shop.database import Base, UtcDateTime, create_engine
from flask_shop.models import Category, Customer, Order, Product
from flask_shop.orders import place
from flask_shop.upgrading import INI, alembic_config, seed, upgrade

ALEMBIC = Path(sys.executable).with_name("alembic")
EARLY = datetime(2026, 2, 1, 9, 30, 0, 250_000, tzinfo=UTC)
LATE = datetime(2026, 3, 1, 10, tzinfo=UTC)
COLUMNS = {
    "products": "id sku slug name category description price stock",
    "orders": "id reference name email product_id quantity price placed",
}
"""Of the first revision."""
FIRST = {
    "products": [
        (1, "A-1", "tin", "Tin", "Green Tea", "In a tin.", "14.50", 3),
        (2, "A-2", "bag", "Bag", "green tea", "O'Brien's; 100 %", "0.07", 0),
        (3, "A-3", "pot", "Pot", "Pots, “small”", "", "1999.99", 12),
    ],
    "orders": [
        (1, "r1", "Ada", "ada@example.org", 1, 2, "14.00", LATE),
        (2, "r2", "Ada L.", "ada@example.org", 3, 1, "1999.99", EARLY),
        (3, "r3", "Bob", "bob@example.org", 2, 4, "0.07", LATE),
    ],
}


@pytest.fixture
def engine(url):
    engine = create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def config(url):
    return alembic_config(url)


def first_table(name: str) -> sa.TableClause:
    columns = [sa.column(column) for column in COLUMNS[name].split()]
    columns[-1].type = UtcDateTime() if name == "orders" else columns[-1].type
    return sa.table(name, *columns)


def fill(engine) -> None:
    with engine.begin() as connection:
        for name, rows in FIRST.items():
            names = COLUMNS[name].split()
            values = [dict(zip(names, row, strict=True)) for row in rows]
            connection.execute(first_table(name).insert(), values)


def first_rows(engine) -> dict[str, list[tuple]]:
    """What the tables of the first revision hold, as `FIRST` has it."""

    def plain(row: sa.Row) -> tuple:
        return tuple((row._asdict() | {"price": f"{row.price:.2f}"}).values())

    with engine.connect() as connection:
        found = {
            name: connection.execute(sa.select(table).order_by(table.c.id)).all()
            for name, table in ((name, first_table(name)) for name in COLUMNS)
        }
    return {name: [plain(row) for row in rows] for name, rows in found.items()}


def at_head(engine) -> list[list[tuple]]:
    """What the shop knows, without the numbers that rows happen to have."""
    products = (
        sa.select(Product.sku, Product.slug, Product.name, Product.description)
        .add_columns(Product.price_cents, Product.stock, Category.slug, Category.name)
        .join(Category)
        .order_by(Product.sku)
    )
    orders = (
        sa.select(Order.reference, Order.name, Order.quantity, Order.price_cents)
        .add_columns(Order.placed, Product.sku, Customer.email, Customer.since)
        .join(Product)
        .join(Customer)
        .order_by(Order.reference)
    )
    with engine.connect() as connection:
        return [[*map(tuple, connection.execute(q))] for q in (products, orders)]


def test_data_moves_to_where_the_models_look(engine, config):
    command.upgrade(config, "0001")
    fill(engine)
    command.upgrade(config, "head")

    assert at_head(engine) == [
        [
            ("A-1", "tin", "Tin", "In a tin.", 1450, 3, "green-tea", "Green Tea"),
            *[
                (
                    "A-2",
                    "bag",
                    "Bag",
                    "O'Brien's; 100 %",
                    7,
                    0,
                    "green-tea-2",
                    "green tea",
                )
            ],
            ("A-3", "pot", "Pot", "", 199_999, 12, "pots-small", "Pots, “small”"),
        ],
        [
            ("r1", "Ada", 2, 1400, LATE, "A-1", "ada@example.org", EARLY),
            ("r2", "Ada L.", 1, 199_999, EARLY, "A-3", "ada@example.org", EARLY),
            ("r3", "Bob", 4, 7, LATE, "A-2", "bob@example.org", LATE),
        ],
    ]


def test_data_is_kept_down_and_up_again(engine, config):
    command.upgrade(config, "0001")
    fill(engine)
    command.upgrade(config, "head")
    before = at_head(engine)

    command.downgrade(config, "0001")
    assert first_rows(engine) == FIRST
    command.upgrade(config, "head")
    assert at_head(engine) == before


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_what_the_shop_sold_is_kept(engine, url, config, revision):
    upgrade(url)
    seed(url)
    with Session(engine) as session, session.begin():
        place(session, "clay-pot", "Eve", "eve@example.org", 2, EARLY)
        place(session, "pine-smoke", "Eve", "eve@example.org", 1, LATE)
    before = at_head(engine)
    assert [len(rows) for rows in before] == [18, 2]

    command.downgrade(config, revision)
    assert "price_cents" not in columns_of(engine, "orders")
    command.upgrade(config, "head")
    assert at_head(engine) == before


def columns_of(engine, table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(engine).get_columns(table)}


def test_migrations_make_what_the_models_say(engine, url, config):
    upgrade(url)
    command.check(config)
    command.downgrade(config, "0001")
    command.upgrade(config, "head")
    command.check(config)
    # `check` does not look at these.
    for table in Base.metadata.sorted_tables:
        found = sa.inspect(engine).get_check_constraints(table.name)
        said = [c for c in table.constraints if isinstance(c, sa.CheckConstraint)]
        assert [c["name"] for c in found] == [c.name for c in said]


def test_nothing_is_left_at_the_bottom(engine, url, config):
    upgrade(url)
    seed(url)
    command.downgrade(config, "base")
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE products SET stock = -1",
        "UPDATE products SET category_id = 999",
        "UPDATE products SET sku = 'same'",
        "DELETE FROM categories",
    ],
)
def test_the_database_refuses_what_cannot_be(engine, url, sql):
    upgrade(url)
    seed(url)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.exec_driver_sql(sql)


def test_a_revision_that_fails_leaves_nothing_behind(engine, config):
    command.upgrade(config, "0001")
    fill(engine)
    command.upgrade(config, "0002")
    with engine.begin() as connection:
        # In the way of the third one, which comes to it half way through.
        connection.exec_driver_sql(
            "CREATE INDEX ix_orders_customer_id ON orders (name)"
        )
    with pytest.raises(DBAPIError):
        command.upgrade(config, "head")

    assert "email" in columns_of(engine, "orders")
    assert not sa.inspect(engine).has_table("customers")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_orders_customer_id")
    command.upgrade(config, "head")
    command.downgrade(config, "0001")
    assert first_rows(engine) == FIRST


def test_a_second_start_changes_nothing(engine, url):
    upgrade(url)
    assert seed(url) == 18
    before = at_head(engine)
    upgrade(url)
    assert seed(url) == 0
    assert at_head(engine) == before


def test_by_the_command_line(tmp_path):
    """As the README says, from any folder."""
    url = f"sqlite:///{tmp_path / 'shop.sqlite3'}"
    environ = {"PATH": os.environ["PATH"], "FLASK_SHOP_DATABASE_URL": url}
    for words in (["upgrade", "head"], ["downgrade", "0001"], ["upgrade", "head"]):
        line = [str(ALEMBIC), "-c", str(INI), *words]
        done = subprocess.run(line, env=environ, cwd=tmp_path, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
    engine = create_engine(url)
    assert columns_of(engine, "products") == {c.name for c in Product.__table__.columns}
    engine.dispose()
