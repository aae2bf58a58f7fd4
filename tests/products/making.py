"""Makes categories, products, spreadsheets and members of staff for tests."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import openpyxl
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile

from products.models import Category, Product

IMPORT = "/admin/products/product/import/"
CONFIRM = "/admin/products/product/process_import/"
EXPORT = "/admin/products/product/export/"


def category(slug: str = "kitchen", **fields) -> Category:
    found, _ = Category.objects.get_or_create(
        slug=slug, defaults={"name": slug.capitalize()} | fields
    )
    return found


def product(slug: str = "mug", **fields) -> Product:
    """Saved, with a name and an SKU made of its slug."""
    defaults = {
        "sku": slug.upper(),
        "name": slug.replace("-", " ").capitalize(),
        "slug": slug,
        "price": Decimal("9.50"),
        "stock": 10,
    }
    chosen = defaults | fields
    if not isinstance(chosen.get("category"), Category):
        chosen["category"] = category(chosen.get("category", "kitchen"))
    return Product.objects.create(**chosen)


def staff(*permissions: str) -> User:
    """Somebody who may do this and nothing else: 'products.view_product' ..."""
    user = User.objects.create_user("clerk", password="clerk", is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user


def csv_bytes(*rows, encoding: str = "utf-8", **options) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, **options).writerows(rows)
    return file.getvalue().encode(encoding)


def xlsx_bytes(*rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def upload(client, data: bytes, name: str = "products.csv"):
    """The answer to a file that is sent to the import page."""
    return client.post(IMPORT, {"file": SimpleUploadedFile(name, data)})


def upload_rows(client, *rows, name: str = "products.csv"):
    make = xlsx_bytes if name.endswith("xlsx") else csv_bytes
    return upload(client, make(*rows), name)


def confirm(client, preview):
    """The answer to the confirmation of a preview."""
    data = {"token": preview.context["token"], "confirm": "yes"}
    return client.post(CONFIRM, data, follow=True)


def told(response) -> str:
    """The messages that a page shows."""
    return " ".join(str(message) for message in response.context["messages"])
