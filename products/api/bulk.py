"""Many products at once, found by SKU: added, changed, or left as they are.

Reads and writes products through the resource of file imports, so that one code checks
both and former addresses go on working. All of it is one transaction, with its entries
in the admin's log.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tablib
from django.contrib.admin.models import ADDITION, CHANGE
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from import_export.results import Result, RowResult
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from api.permissions import Needs
from api.problems import Conflict
from api.views import Bounded, plain_body
from products.api import changes
from products.api.rows import BulkResource, dataset
from products.api.serializers import ProductSerializer

STATES = {
    RowResult.IMPORT_TYPE_NEW: "created",
    RowResult.IMPORT_TYPE_UPDATE: "updated",
    RowResult.IMPORT_TYPE_SKIP: "unchanged",
    RowResult.IMPORT_TYPE_INVALID: "error",
    RowResult.IMPORT_TYPE_ERROR: "error",
}
ERRORS_SHOWN = 100
"""Rows whose errors a refusal of all of them lists."""


class RowSerializer(serializers.Serializer):
    """What became of a row."""

    row = serializers.IntegerField(help_text="Its number; the first is 1.")
    sku = serializers.CharField()
    id = serializers.IntegerField(allow_null=True, help_text="Of the product.")
    status = serializers.ChoiceField(choices=sorted(set(STATES.values())))
    errors = serializers.DictField(required=False, help_text="As in a problem.")


class ReportSerializer(serializers.Serializer):
    mode = serializers.ChoiceField(choices=["all", "each"])
    dry_run = serializers.BooleanField(help_text="true: nothing was saved.")
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    error = serializers.IntegerField()
    results = RowSerializer(many=True)


class ProductRow(ProductSerializer):
    """A row: of a product that is there, only what is to be changed."""

    class Meta(ProductSerializer.Meta):
        ref_name = "ProductRow"


PARAMETERS = [
    OpenApiParameter(
        "mode",
        OpenApiTypes.STR,
        enum=["all", "each"],
        description="all (default): nothing is saved if any row has an error. "
        "each: the rows without errors are saved.",
    ),
    OpenApiParameter(
        "dry_run",
        OpenApiTypes.STR,
        enum=["0", "1"],
        description="1: only tell what would become of each row.",
    ),
]


class ProductBulk(Bounded, APIView):
    """Adds and changes up to 10 000 products, found by SKU.

    A field that a row does not have stays as it is. The answer tells of each row.
    """

    scope_read = scope_write = "products:write"
    permissions_needed = ("products.add_product", "products.change_product")
    permission_classes = [*api_settings.DEFAULT_PERMISSION_CLASSES, Needs]
    parameters = frozenset(("mode", "dry_run"))
    takes_rows = True

    @extend_schema(
        operation_id="products_bulk_upsert",
        parameters=PARAMETERS,
        request=ProductRow(many=True, partial=True),
        responses=ReportSerializer,
    )
    def post(self, request: Any) -> Response:
        mode = self.chosen("mode", ("all", "each"))
        dry_run = self.chosen("dry_run", ("0", "1")) == "1"
        rows = dataset(plain_body(request.data))
        resource = BulkResource()
        if dry_run:
            return Response(report(resource, rows, mode, True))
        with changes.together():
            resource.locking = True
            found = report(resource, rows, mode, False)
            if mode == "all" and found["error"]:
                raise ValidationError(refusal(found))
            self.log(resource)
        return Response(found)

    def chosen(self, name: str, choices: tuple[str, ...]) -> str:
        """The value of a parameter; the first choice if it is not there."""
        value = self.request.query_params.get(name, choices[0])
        if value not in choices:
            raise ValidationError({name: [f"It must be of: {', '.join(choices)}."]})
        return value

    def log(self, resource: BulkResource) -> None:
        for flag, is_new in ((ADDITION, True), (CHANGE, False)):
            rows = [product for product, new in resource.saved if new is is_new]
            if rows:
                changes.log(self.request, flag, rows)


def run(resource: BulkResource, rows: tablib.Dataset, dry_run: bool) -> Result:
    result = resource.import_data_inner(
        rows,
        dry_run=dry_run,
        raise_errors=False,
        using_transactions=False,
        collect_failed_rows=False,
    )
    if result.base_errors:
        # Such as a slug that somebody else took a moment ago.
        raise Conflict
    return result


def report(
    resource: BulkResource, rows: tablib.Dataset, mode: str, dry_run: bool
) -> dict[str, Any]:
    """Carries it out, and tells of it."""
    result = run(resource, rows, dry_run)
    told_rows = list(told(resource, result, rows))
    states = [row["status"] for row in told_rows]
    counts = {state: states.count(state) for state in STATES.values()}
    return {"mode": mode, "dry_run": dry_run, **counts, "results": told_rows}


def told(
    resource: BulkResource, result: Result, rows: tablib.Dataset
) -> Iterator[dict[str, Any]]:
    """Of each row what became of it."""
    pks = {sku: product.pk for sku, product in resource.products.items()}
    pks |= {product.sku: product.pk for product, _ in resource.saved}
    for number, (cell, row) in enumerate(zip(rows["sku"], result.rows, strict=True), 1):
        sku = resource.sku_of({"sku": cell})
        found = {
            "row": number,
            "sku": sku,
            "id": pks.get(sku),
            "status": STATES[row.import_type],
        }
        if found["status"] == "error":
            found["errors"] = row_errors(row)
        yield found


def row_errors(row: RowResult) -> dict[str, Any]:
    """By field, as in a problem."""
    if row.validation_error is None:
        return {"all": [{"message": "It can't be read.", "code": "invalid"}]}
    return {
        name: [
            {"message": message, "code": error.code or "invalid"}
            for error in errors
            for message in error.messages
        ]
        for name, errors in row.validation_error.error_dict.items()
    }


def refusal(found: dict[str, Any]) -> dict[str, Any]:
    """The errors of the rows, with their numbers before the names of the fields."""
    failed = [row for row in found["results"] if row["status"] == "error"]
    return {
        f"rows.{row['row']}.{name}": [
            ErrorDetail(error["message"], error["code"]) for error in errors
        ]
        for row in failed[:ERRORS_SHOWN]
        for name, errors in row["errors"].items()
    }
