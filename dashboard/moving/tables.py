"""A table as columns and rows, the same on every database, and its checksum.

Reads and writes rows without the models' own behaviour: no default, no time of the last
change, no signal. Values pass through Django's fields for the types of their columns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from itertools import chain, islice
from typing import Any

from django.apps import apps
from django.db import connections, models, router
from django.db.models.expressions import Col

Row = tuple[Any, ...]
BATCH_ROWS = 1_000


@dataclass(frozen=True)
class Sum:
    """What a table holds: so many rows, and a number that changes with each of them."""

    rows: int = 0
    digest: int = 0


class Table:
    """The table of a model, in the database that the router gives it."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model
        self.name = model._meta.db_table
        self.alias = router.db_for_write(model)
        self.columns = [field.column for field in model._meta.local_concrete_fields]

    @cached_property
    def fields(self) -> list[models.Field]:
        return [plain(field) for field in self.model._meta.local_concrete_fields]

    def read(self, alias: str) -> Iterator[Row]:
        """All rows as Python's values, in the memory of a batch."""
        connection = connections[alias]
        quote = connection.ops.quote_name
        columns = ", ".join(map(quote, self.columns))
        converters = [converter(field, connection) for field in self.fields]
        with connection.chunked_cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM {quote(self.name)}")  # noqa: S608
            while rows := cursor.fetchmany(BATCH_ROWS):
                for row in rows:
                    yield tuple(
                        convert(value) if convert else value
                        for convert, value in zip(converters, row, strict=True)
                    )

    def write(self, rows: Iterable[Row]) -> None:
        connection = connections[self.alias]
        quote = connection.ops.quote_name
        most = connection.features.max_query_params or BATCH_ROWS * len(self.columns)
        line = f"({', '.join(['%s'] * len(self.columns))})"
        start = (
            f"INSERT INTO {quote(self.name)} "  # noqa: S608
            f"({', '.join(map(quote, self.columns))}) VALUES "
        )
        with connection.cursor() as cursor:
            rows, size = iter(rows), min(BATCH_ROWS, most // len(self.columns))
            while batch := list(islice(rows, size)):
                values = chain.from_iterable(self._prepared(batch, connection))
                cursor.execute(start + ", ".join([line] * len(batch)), list(values))

    def _prepared(self, rows: Iterable[Row], connection: Any) -> Iterator[list[Any]]:
        for row in rows:
            yield [
                field.get_db_prep_save(value, connection)
                for field, value in zip(self.fields, row, strict=True)
            ]

    def clear(self) -> None:
        connection = connections[self.alias]
        with connection.cursor() as cursor:
            name = connection.ops.quote_name(self.name)
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608

    def is_empty(self) -> bool:
        return not self.model._base_manager.using(self.alias).exists()


class Adder:
    """Adds rows up while they pass. Their order does not matter."""

    def __init__(self) -> None:
        self.rows = self.digest = 0

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            text = "\x1f".join(map(_text, row)).encode("utf-8", "surrogatepass")
            digest = blake2b(text, digest_size=8).digest()
            self.digest = (self.digest + int.from_bytes(digest)) & 0xFFFF_FFFF_FFFF_FFFF
            self.rows += 1
            yield row

    @property
    def sum(self) -> Sum:
        return Sum(self.rows, self.digest)


def sum_of(rows: Iterable[Row]) -> Sum:
    adder = Adder()
    for _row in adder.passing(rows):
        pass
    return adder.sum


def _text(value: Any) -> str:
    """One text for equal values, whichever database they come from."""
    if isinstance(value, datetime):
        value = value.astimezone(UTC).isoformat()
    elif isinstance(value, dict | list):
        value = json.dumps(value, sort_keys=True)
    return f"{type(value).__name__}:{value!r}"


def all_tables() -> list[Table]:
    """Those that this site makes, with what joins two of them."""
    found = {
        model._meta.db_table: Table(model)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped
    }
    return list(found.values())


def plain(field: models.Field) -> models.Field:
    """Django's own field for what the column holds."""
    while field.is_relation:
        field = field.target_field
    kind = field.get_internal_type()
    if kind == "DecimalField":
        sizes = {"max_digits": field.max_digits, "decimal_places": field.decimal_places}
        return models.DecimalField(**sizes)
    key = {"primary_key": True} if kind.endswith("AutoField") else {}
    return getattr(models, kind)(**key)


def converter(field: models.Field, connection: Any) -> Callable[[Any], Any] | None:
    """From what the driver gives to what Python means; None where it is the same."""
    column = Col("", field)
    steps = [
        *connection.ops.get_db_converters(column),
        *field.get_db_converters(connection),
    ]
    if not steps and not isinstance(field, models.BinaryField):
        return None

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, column, connection)
        return bytes(value) if isinstance(value, memoryview) else value

    return convert
