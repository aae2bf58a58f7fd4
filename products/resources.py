"""Products as rows of a spreadsheet: which columns there are, and how rows are saved.

Reads the catalogue once for a whole file, not once a row. Writes products, when it is
not a dry run, those whose address changes one by one and the others in bulk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.utils.text import slugify
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.results import RowResult

from products import cells
from products.chunks import chunks
from products.models import FormerSlug, Product

SHOWN = 200
"""Rows of which a preview has the details."""
BATCH = 500

YES_NO = {True: "yes", False: "no"}

Values = tuple[Any, ...]


def column(name: str, widget: cells.Widget, title: str | None = None) -> Field:
    """An empty cell leaves the value as it is."""
    return Field(
        attribute=name,
        column_name=title or name,
        widget=widget,
        saves_null_values=False,
    )


class Loader(BaseInstanceLoader):
    """Products by SKU, from what the resource loaded."""

    def get_instance(self, row: Mapping[str, Any]) -> Product | None:
        return self.resource.products.get(self.resource.sku_of(row))


class ProductRow(RowResult):
    """What becomes of one row."""

    sku = name = ""
    changes: list[tuple[str, Any, Any]] | None = None
    """(column, before, after) of what changes; None when it isn't among those shown."""


class ProductResource(ModelResource):
    sku = column("sku", cells.Code())
    name = column("name", cells.Text())
    slug = column("slug", cells.Text())
    category = column("category", cells.CategorySlug())
    description = column("description", cells.Paragraphs())
    price = column("price", cells.Price())
    currency = column("currency", cells.Code())
    stock = column("stock", cells.Count())
    is_active = column("is_active", cells.YesNo(), "active")

    class Meta:
        model = Product
        name = "Products"
        fields = (
            "sku",
            "name",
            "slug",
            "category",
            "description",
            "price",
            "currency",
            "stock",
            "is_active",
        )
        import_id_fields = ("sku",)
        instance_loader_class = Loader
        report_skipped = True
        # Its own way of finding differences costs a deep copy of each row.
        skip_diff = True
        use_bulk = True
        batch_size = BATCH

    @classmethod
    def columns(cls) -> list[str]:
        """The names of the columns, the key first."""
        return [cls.title(name) for name in cls._meta.fields]

    @classmethod
    def title(cls, name: str) -> str:
        """A field's name as the header has it."""
        return cls.fields[name].column_name if name in cls.fields else name

    @classmethod
    def get_row_result_class(cls) -> type[ProductRow]:
        return ProductRow

    def get_queryset(self) -> Any:
        return Product.objects.with_category()

    # ── Before the first row ─────────────────────────────────────────────────
    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        self.fields["category"].widget.load()
        skus = sorted({self.sku_of(row) for row in dataset.dict} - {""})
        self.products = {
            each.sku: each
            for some in chunks(skus)
            for each in self.get_queryset().filter(sku__in=some)
        }
        self.versions = {
            sku: version(self.products[sku]) if sku in self.products else None
            for sku in skus
        }
        self.owners = dict(Product.objects.values_list("slug", "sku"))
        self.seen: set[str] = set()
        self.shown = 0
        self.saved: list[tuple[Product, bool]] = []

    def sku_of(self, row: Mapping[str, Any]) -> str:
        try:
            return self.fields["sku"].clean(row) or ""
        except ValueError:
            return ""

    # ── For each row ─────────────────────────────────────────────────────────
    def after_init_instance(
        self, instance: Product, new: bool, row: Any, **kwargs: Any
    ) -> None:
        self.current = instance
        self.before = None if new else self.values(instance)
        self.slug_before = instance.slug

    def values(self, instance: Product) -> Values:
        """What is compared and shown, in the order of the columns."""
        values = (getattr(instance, name) for name in self._meta.fields)
        return tuple(
            cells.unified(value) if isinstance(value, str) else value
            for value in values
        )

    def import_instance(self, instance: Product, row: Any, **kwargs: Any) -> None:
        try:
            super().import_instance(instance, row, **kwargs)
        finally:
            instance.slug = instance.slug or slugify(instance.name)[:120]

    def skip_row(
        self, instance: Product, original: Any, row: Any, import_validation_errors=None
    ) -> bool:
        if self.before is None or import_validation_errors:
            return False
        if instance.sku in self.seen or self.before != self.values(instance):
            return False
        self.seen.add(instance.sku)
        return True

    def validate_instance(
        self,
        instance: Product,
        import_validation_errors: dict | None = None,
        validate_unique: bool = True,
    ) -> None:
        """Like ``full_clean``, without its queries for each row."""
        errors = dict(import_validation_errors or {})
        if instance.category_id is None and "category" not in errors:
            errors["category"] = ["Give a category, by its slug."]
        try:
            instance.clean_fields(exclude={*errors, "category"})
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if not errors:
            errors = self.clashes(instance)
        if errors:
            raise ValidationError(errors)

    def clashes(self, instance: Product) -> dict[str, list[str]]:
        """What must be there once, and is there already; else the row takes it."""
        owner = self.owners.get(instance.slug, instance.sku)
        if instance.sku in self.seen:
            return {"sku": ["It is in more than one row of the file."]}
        if owner != instance.sku:
            return {"slug": [f"“{instance.slug}” is the address of {owner}."]}
        self.seen.add(instance.sku)
        if self.slug_before and self.slug_before != instance.slug:
            del self.owners[self.slug_before]
        self.owners[instance.slug] = instance.sku
        return {}

    def save_instance(
        self, instance: Product, is_create: bool, row: Any, **kwargs: Any
    ) -> None:
        if self._is_dry_run(kwargs):
            return
        self.saved.append((instance, is_create))
        if is_create:
            self.create_instances.append(instance)
        elif instance.slug != self.slug_before:
            instance.save()
        else:
            self.update_instances.append(instance)

    def bulk_update(
        self,
        using_transactions: bool,
        dry_run: bool,
        raise_errors: bool,
        batch_size: int | None = None,
        result: Any = None,
    ) -> None:
        """As insertions that find their row there: 40 times as fast as CASE WHEN."""
        rows, self.update_instances = self.update_instances, []
        try:
            Product.objects.bulk_create(
                rows,
                batch_size=batch_size,
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=[*self.get_bulk_update_fields(), "updated"],
            )
        except DatabaseError as error:
            self.handle_import_error(result, error, raise_errors)

    def after_import_row(self, row: Any, row_result: ProductRow, **kwargs: Any) -> None:
        instance = self.current
        row_result.sku, row_result.name = instance.sku, instance.name
        if row_result.is_skip() or self.shown >= SHOWN:
            return
        self.shown += 1
        row_result.changes = list(self.changes(instance))

    def changes(self, instance: Product) -> Iterator[tuple[str, Any, Any]]:
        """(column, before, after); of a new product, what is not seen anyway."""
        after = self.values(instance)
        before = self.before or (instance.sku, instance.name, *[""] * len(after[2:]))
        for name, old, new in zip(self.columns(), before, after, strict=True):
            if old != new:
                yield name, readable(old), readable(new)

    # ── After the last row ───────────────────────────────────────────────────
    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        """Primary keys are never imported, so no sequence has to be set anew."""
        slugs = [product.slug for product, is_new in self.saved if is_new]
        for some in chunks(slugs):
            FormerSlug.objects.filter(slug__in=some).delete()


def readable(value: Any) -> Any:
    return YES_NO[value] if isinstance(value, bool) else value


def version(product: Product) -> str:
    """Changes whenever the product is saved."""
    return product.updated.isoformat()
