"""The pages: catalogue with search, one product, its order form, the order placed.

Reads products; writes orders. A cookie is set only by the order form.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.orm import contains_eager, joinedload
from werkzeug.wrappers import Response

from .database import get_session
from .forms import QUANTITY_LIMIT, OrderForm
from .models import Category, Order, Product
from .orders import OutOfStock, place

PER_PAGE = 12
PAGE_LIMIT = 10_000
SEARCH_LENGTH = 100
SEARCH_WORDS = 8
ORDERS_KEPT = 10
ORDERS = "orders"

pages = Blueprint("shop", __name__)


@pages.get("/")
@pages.get("/category/<slug:category>/")
def catalogue(category: str = "") -> str:
    query = request.args.get("q", "").replace("\0", "")[:SEARCH_LENGTH].strip()
    page = min(max(request.args.get("page", 1, type=int), 1), PAGE_LIMIT)
    categories = get_session().scalars(select(Category).order_by(Category.name)).all()
    if category and category not in {known.slug for known in categories}:
        abort(404)
    found = _matching(query, category)
    total = get_session().scalar(found.with_only_columns(func.count(Product.id)))
    some = found.order_by(Product.name).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    products = get_session().scalars(some).all()
    return render_template(
        "catalogue.html",
        categories=categories,
        category=category,
        products=products,
        query=query,
        total=total,
        page=page,
        more=total > page * PER_PAGE,
    )


def _matching(query: str, category: str) -> Select[tuple[Product]]:
    found = select(Product).join(Product.category)
    found = found.options(contains_eager(Product.category))
    if category:
        found = found.where(Category.slug == category)
    for word in query.split()[:SEARCH_WORDS]:
        fields = (Product.name, Product.description, Product.sku)
        found = found.where(or_(*(f.icontains(word, autoescape=True) for f in fields)))
    return found


@pages.get("/products/<slug:slug>/")
def product(slug: str) -> str:
    return render_template("product.html", product=_product(slug))


@pages.get("/products/<slug:slug>/order/")
def order_form(slug: str) -> str:
    return _form(slug, OrderForm())


@pages.post("/products/<slug:slug>/order/")
def order(slug: str) -> Response | tuple[str, int]:
    form = OrderForm.read(request.form)
    if form.errors:
        return _form(slug, form), 422
    try:
        placed = place(
            get_session(),
            slug,
            form.name,
            form.email,
            int(form.quantity),
            datetime.now(UTC),
        )
    except OutOfStock:
        form.errors["quantity"] = "We do not have that many."
        return _form(slug, form), 422
    get_session().commit()
    session[ORDERS] = [*session.get(ORDERS, []), placed.reference][-ORDERS_KEPT:]
    return redirect(url_for("shop.placed", reference=placed.reference), 303)


@pages.get("/orders/<slug:reference>/")
def placed(reference: str) -> str:
    """Shown to the browser that placed it, and to nobody else."""
    if reference not in session.get(ORDERS, []):
        abort(404)
    wanted = select(Order).where(Order.reference == reference)
    wanted = wanted.options(joinedload(Order.product), joinedload(Order.customer))
    order = get_session().scalar(wanted) or abort(404)
    return render_template("placed.html", order=order)


@pages.get("/healthz")
def health() -> tuple[str, int, dict[str, str]]:
    get_session().execute(text("SELECT 1"))
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


def _product(slug: str) -> Product:
    wanted = select(Product).where(Product.slug == slug)
    wanted = wanted.options(joinedload(Product.category))
    return get_session().scalar(wanted) or abort(404)


def _form(slug: str, form: OrderForm) -> str:
    product = _product(slug)
    most = min(QUANTITY_LIMIT, product.stock)
    return render_template("order.html", product=product, form=form, most=most)
