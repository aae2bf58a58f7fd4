"""An object as a table: a header and rows, for CSV and XLSX.

A page or a report is its ``results``; another object is one row. What is nested has
columns with dotted names: ``errors.price.0.message``. Null is an empty cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from analytics.reporting.formulas import safe_cell
from api.formats.tree import Tree, plain

RESULTS = "results"


def _safe(name: str, value: Any) -> Any:
    return safe_cell(value)


def table(
    data: Any,
    context: Mapping[str, Any] | None = None,
    cell: Callable[[str, Any], Any] = _safe,
) -> list[list[Any]]:
    """The header and the rows, of cells that are no formulas.

    ``cell`` makes of a column's name and a value what stands there.
    """
    found = plain(data)
    rows = [dict(_flat(row, "")) for row in _rows(found)]
    headers = list(dict.fromkeys(name for row in rows for name in row))
    headers = headers or _columns(context)
    if not headers:
        return []
    body = [[cell(name, row.get(name)) for name in headers] for row in rows]
    return [[safe_cell(name) for name in headers], *body]


def _rows(data: Tree) -> Sequence[Tree]:
    if isinstance(data, dict) and isinstance(data.get(RESULTS), list):
        data = data[RESULTS]
    return data if isinstance(data, list) else [data]


def _flat(value: Tree, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    else:
        yield name or "value", value
        return
    for key, inner in inside:
        yield from _flat(inner, f"{name}.{key}" if name else str(key))


def _columns(context: Mapping[str, Any] | None) -> list[str]:
    """Of an empty list, from the view: a file without a header is no table."""
    columns = getattr((context or {}).get("view"), "columns", None)
    return list(columns()) if columns else []
