"""Customers become a table of their own, known by their addresses.

Upgrade: each address of an order becomes a customer since its first order. Downgrade:
orders have the addresses again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CUSTOMERS = sa.table(
    "customers", sa.column("id"), sa.column("email"), sa.column("since")
)
ORDERS = sa.table(
    "orders", sa.column("email"), sa.column("customer_id"), sa.column("placed")
)


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("email", name=op.f("uq_customers_email")),
    )
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("customer_id", sa.Integer(), nullable=True))
    first = sa.select(ORDERS.c.email, sa.func.min(ORDERS.c.placed))
    first = first.group_by(ORDERS.c.email)
    op.execute(CUSTOMERS.insert().from_select(["email", "since"], first))
    number = sa.select(CUSTOMERS.c.id).where(CUSTOMERS.c.email == ORDERS.c.email)
    op.execute(ORDERS.update().values(customer_id=number.scalar_subquery()))
    with op.batch_alter_table("orders") as orders:
        orders.alter_column("customer_id", existing_type=sa.Integer(), nullable=False)
        orders.create_foreign_key(
            op.f("fk_orders_customer_id"), "customers", ["customer_id"], ["id"]
        )
        orders.create_index(op.f("ix_orders_customer_id"), ["customer_id"])
        orders.drop_column("email")


def downgrade() -> None:
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("email", sa.String(254), nullable=True))
    email = sa.select(CUSTOMERS.c.email).where(CUSTOMERS.c.id == ORDERS.c.customer_id)
    op.execute(ORDERS.update().values(email=email.scalar_subquery()))
    with op.batch_alter_table("orders") as orders:
        orders.alter_column("email", existing_type=sa.String(254), nullable=False)
        orders.drop_index(op.f("ix_orders_customer_id"))
        orders.drop_constraint(op.f("fk_orders_customer_id"), type_="foreignkey")
        orders.drop_column("customer_id")
    op.drop_table("customers")
