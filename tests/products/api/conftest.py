"""A catalogue of two categories, and somebody who may do all with it."""

import pytest

from tests.api.calling import EDITOR, caller, person
from tests.products.making import category, product


@pytest.fixture
def editor(db):
    return person(*EDITOR)


@pytest.fixture
def api(editor):
    """A client with a token that has all scopes."""
    return caller(editor)


@pytest.fixture
def mug(db):
    return product("mug", sku="007", price="9.50")


@pytest.fixture
def shelf(mug):
    """Four products in two categories, the mug among them."""
    category("office")
    return [
        mug,
        product("pan", sku="PAN-1", price="58.00", stock=0),
        product("pen", sku="PEN-1", price="24.00", stock=3, category="office"),
        product(
            "pad",
            sku="PAD-1",
            name="=Pad, “ruled”\x0b",
            description="Two\nlines",
            category="office",
            is_active=False,
        ),
    ]
