"""Categories become a table of their own.

Upgrade: each name that a product has becomes a category. Downgrade: products have the
names again; a category without products goes.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# As they are here and now: the models of later revisions are others.
CATEGORIES = sa.table(
    "categories", sa.column("id"), sa.column("slug"), sa.column("name")
)
PRODUCTS = sa.table("products", sa.column("category"), sa.column("category_id"))


def upgrade() -> None:
    op.create_table(
        "categories",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(80), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("name", name=op.f("uq_categories_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_categories_slug")),
    )
    with op.batch_alter_table("products") as products:
        products.add_column(sa.Column("category_id", sa.Integer(), nullable=True))
    _fill_categories()
    with op.batch_alter_table("products") as products:
        products.alter_column("category_id", existing_type=sa.Integer(), nullable=False)
        products.create_foreign_key(
            op.f("fk_products_category_id"), "categories", ["category_id"], ["id"]
        )
        products.create_index(op.f("ix_products_category_id"), ["category_id"])
        products.drop_column("category")


def downgrade() -> None:
    with op.batch_alter_table("products") as products:
        products.add_column(sa.Column("category", sa.String(60), nullable=True))
    name = sa.select(CATEGORIES.c.name).where(CATEGORIES.c.id == PRODUCTS.c.category_id)
    op.execute(PRODUCTS.update().values(category=name.scalar_subquery()))
    with op.batch_alter_table("products") as products:
        products.alter_column("category", existing_type=sa.String(60), nullable=False)
        products.drop_index(op.f("ix_products_category_id"))
        products.drop_constraint(op.f("fk_products_category_id"), type_="foreignkey")
        products.drop_column("category_id")
    op.drop_table("categories")


def _fill_categories() -> None:
    connection = op.get_bind()
    wanted = sa.select(PRODUCTS.c.category).distinct().order_by(PRODUCTS.c.category)
    taken: set[str] = set()
    for name in connection.scalars(wanted).all():
        slug = _slug(name, taken)
        connection.execute(CATEGORIES.insert().values(slug=slug, name=name))
    number = sa.select(CATEGORIES.c.id).where(CATEGORIES.c.name == PRODUCTS.c.category)
    op.execute(PRODUCTS.update().values(category_id=number.scalar_subquery()))


def _slug(name: str, taken: set[str]) -> str:
    """``Green Tea`` -> ``green-tea``; numbered where names differ in little else."""
    base = slug = "-".join(re.findall("[a-z0-9]+", name.lower()))[:70] or "category"
    number = 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    taken.add(slug)
    return slug
