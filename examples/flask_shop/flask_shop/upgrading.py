"""The schema at the newest revision, and something to sell in an empty shop.

Reads the migrations; writes the schema, and products if there are none. What was
sold out or taken away stays so.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from .catalogue import CATEGORIES, TEAS
from .database import create_engine
from .models import Category, Product

INI = Path(__file__).resolve().parents[1] / "alembic.ini"


def alembic_config(url: str) -> Config:
    config = Config(INI)
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    command.upgrade(alembic_config(url), "head")


def seed(url: str) -> int:
    """How many products were made; none if there are any."""
    engine = create_engine(url)
    try:
        with Session(engine) as session, session.begin():
            if session.scalar(select(exists(select(Product.id)))):
                return 0
            session.add_all(_products())
    finally:
        engine.dispose()
    return len(TEAS)


def _products() -> list[Product]:
    categories = {slug: Category(slug=slug, name=name) for slug, name in CATEGORIES}
    return [
        Product(
            sku=f"LK-{number:03}",
            slug=name.lower().replace(" ", "-"),
            name=name,
            category=categories[category],
            price_cents=cents,
            stock=stock,
            description=description,
        )
        for number, (name, category, cents, stock, description) in enumerate(TEAS, 1)
    ]
