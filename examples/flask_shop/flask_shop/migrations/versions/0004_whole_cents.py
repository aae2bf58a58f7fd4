"""Prices become whole cents: SQLite kept them as floating-point numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("products", "orders")
CENTS = ("price_cents", sa.Integer())
PRICE = ("price", sa.Numeric(10, 2))
Column = tuple[str, sa.types.TypeEngine]


def upgrade() -> None:
    for table in TABLES:
        _replace(table, PRICE, CENTS, "CAST(ROUND(price * 100) AS INTEGER)")


def downgrade() -> None:
    for table in TABLES:
        _replace(table, CENTS, PRICE, "price_cents / 100.0")


def _replace(table: str, old: Column, new: Column, formula: str) -> None:
    name, kind = new
    with op.batch_alter_table(table) as batch:
        batch.add_column(sa.Column(name, kind, nullable=True))
    values = sa.table(table, sa.column(name))
    op.execute(values.update().values({name: sa.text(formula)}))
    with op.batch_alter_table(table) as batch:
        batch.alter_column(name, existing_type=kind, nullable=False)
        batch.drop_column(old[0])
