"""Carries a table out on the catalogue: first to look at, then for good.

Reads and writes products through `ProductResource`. Never overwrites a product that
was changed after the preview, and never leaves half an import behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tablib
from django.db import transaction
from import_export.results import Result

from products.chunks import chunks
from products.imports.drafts import Draft
from products.imports.refusal import Refused
from products.imports.uploads import Table
from products.models import Product
from products.resources import SHOWN, ProductResource, ProductRow, version

ERRORS_SHOWN = 100
NAMED = 20
"""Products that a sentence names."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import does, or did."""

    new: int
    updated: int
    unchanged: int
    failed: int
    """Rows with errors."""
    rows: list[tuple[int, ProductRow]]
    """Row numbers and rows: those that change first, no more than a page holds."""
    errors: list[tuple[int, str, list[str]]]
    """Row numbers, SKUs and sentences, no more than a page holds."""

    @property
    def total(self) -> int:
        return self.new + self.updated + self.unchanged + self.failed

    @property
    def summary(self) -> str:
        return f"{self.new} new, {self.updated} updated, {self.unchanged} unchanged"


def preview(table: Table, name: str, user: int) -> tuple[Outcome, Draft]:
    """What the table would do, and what is to be kept to do it."""
    resource = ProductResource()
    # Not `import_data`, which would open a transaction, and on SQLite keep everybody
    # from writing while it reads.
    result = resource.import_data_inner(
        _dataset(table),
        dry_run=True,
        raise_errors=False,
        using_transactions=False,
        collect_failed_rows=False,
    )
    _raise_base_errors(result)
    draft = Draft(user, name, table, resource.versions)
    return _outcome(result, table), draft


def confirm(draft: Draft) -> tuple[Outcome, list[tuple[Product, bool]]]:
    """Do it; what was done, and the products saved, with whether each is new.

    To be called in a transaction. Raises `Refused`, and has done nothing then.
    """
    with transaction.atomic():
        _refuse_conflicts(draft)
        resource = ProductResource()
        result = resource.import_data(_dataset(draft.table))
        _raise_base_errors(result)
        outcome = _outcome(result, draft.table)
        if outcome.failed:
            raise Refused(_what_failed(outcome))
    return outcome, resource.saved


def conflicts(draft: Draft) -> list[str]:
    """SKUs of products that were made, changed or deleted since the preview.

    Inside a transaction their rows are locked, so that the answer stays right.
    """
    skus = list(draft.versions)
    now: dict[str, str | None] = dict.fromkeys(skus)
    for some in chunks(skus):
        rows = Product.objects.select_for_update().order_by("pk")
        for product in rows.filter(sku__in=some):
            now[product.sku] = version(product)
    return sorted(sku for sku in skus if now[sku] != draft.versions[sku])


def _refuse_conflicts(draft: Draft) -> None:
    if changed := conflicts(draft):
        more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        raise Refused(
            "Nothing was imported, because these products were changed after the "
            f"preview: {', '.join(changed[:NAMED])}{more}. Upload the file again to "
            "see what it would do now."
        )


def _what_failed(outcome: Outcome) -> str:
    number, sku, sentences = outcome.errors[0]
    return (
        f"Nothing was imported, because {outcome.failed} rows have errors now. "
        f"Row {number}, {sku}: {' '.join(sentences)}"
    )


def _raise_base_errors(result: Result) -> None:
    """Such as a slug that somebody else took a moment ago."""
    for error in result.base_errors:
        raise Refused(
            "Nothing was imported: the database refused it. Upload the file again."
        ) from error.error


def _dataset(table: Table) -> tablib.Dataset:
    return tablib.Dataset(*table.rows, headers=table.headers)


def _outcome(result: Result, table: Table) -> Outcome:
    totals = result.totals
    return Outcome(
        new=totals["new"],
        updated=totals["update"],
        unchanged=totals["skip"],
        failed=totals["error"] + totals["invalid"],
        rows=_shown(result, table),
        errors=_errors(result, table),
    )


def _shown(result: Result, table: Table) -> list[tuple[int, ProductRow]]:
    rows = [
        (number, row)
        for number, row in zip(table.numbers, result.rows, strict=True)
        if row.is_valid()
    ]
    rows.sort(key=lambda numbered: numbered[1].is_skip())
    return rows[:SHOWN]


def _errors(result: Result, table: Table) -> list[tuple[int, str, list[str]]]:
    place = table.headers.index("sku")
    found: list[tuple[int, list[str]]] = []
    for invalid in result.invalid_rows:
        found.append((invalid.number - 1, _sentences(invalid.error_dict)))
    for broken in result.error_rows:
        kinds = [type(error.error).__name__ for error in broken.errors]
        found.append((broken.number - 1, [f"It can't be read ({kinds[0]})."]))
    return [
        (table.numbers[index], str(table.rows[index][place]), sentences)
        for index, sentences in sorted(found)[:ERRORS_SHOWN]
    ]


def _sentences(errors: dict[str, Any]) -> list[str]:
    return [
        f"{ProductResource.title(name)}: {sentence}"
        for name, sentences in errors.items()
        for sentence in sentences
    ]
