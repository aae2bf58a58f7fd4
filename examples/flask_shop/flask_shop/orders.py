"""Placing an order: takes from the stock, remembers customer and order, together.

Writes in one transaction, which the caller commits. Never sells what is not there,
however many ask at once.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .models import Customer, Order, Product


class OutOfStock(Exception):
    """Less is there than was ordered."""


def place(
    session: Session, slug: str, name: str, email: str, quantity: int, now: datetime
) -> Order:
    """The order, with its reference. Raises OutOfStock."""
    # First of all, and in one statement: whoever comes second finds what is left.
    taken = session.execute(
        update(Product)
        .where(Product.slug == slug, Product.stock >= quantity)
        .values(stock=Product.stock - quantity)
        .returning(Product.id, Product.price_cents)
    ).one_or_none()
    if taken is None:
        raise OutOfStock(slug)
    order = Order(
        reference=secrets.token_hex(8),
        customer=_customer(session, email, now),
        name=name,
        product_id=taken.id,
        quantity=quantity,
        price_cents=taken.price_cents,
        placed=now,
    )
    session.add(order)
    session.flush()
    return order


def _customer(session: Session, email: str, now: datetime) -> Customer:
    """The known one, or a new one: also when two first orders come at once."""
    known = select(Customer).where(Customer.email == email)
    if customer := session.scalar(known):
        return customer
    try:
        with session.begin_nested():
            customer = Customer(email=email, since=now)
            session.add(customer)
    except IntegrityError:
        return session.scalars(known).one()
    return customer
