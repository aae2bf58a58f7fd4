"""Objects as every format knows them: dicts, lists, texts, numbers, yes and no, null.

Reads what serializers made; writes nothing. Bounds what parsers may build.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from rest_framework.exceptions import ParseError

MAX_DEPTH = 16
MAX_NODES = 250_000
"""10 000 rows as wide as products are, and room."""

Tree = dict[str, Any] | list[Any] | str | int | float | bool | None


def plain(data: Any) -> Tree:
    """The same, of those types alone: numbers that must stay exact become text."""
    if data is None or isinstance(data, bool | float):
        return data
    if isinstance(data, str):
        # Also what only looks like one: an error with its code, a safe string.
        return str(data)
    if isinstance(data, int):
        return int(data)
    if isinstance(data, Mapping):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [plain(value) for value in data]
    if isinstance(data, datetime | date | time):
        return data.isoformat().replace("+00:00", "Z")
    return format(data, "f") if isinstance(data, Decimal) else str(data)


class Limits:
    """Counts what a parser builds, and stops it where it gets too much."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.nodes = 0

    def node(self, depth: int) -> None:
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise ParseError(f"The {self.kind} is nested deeper than {MAX_DEPTH}.")
        if self.nodes > MAX_NODES:
            raise ParseError(f"The {self.kind} has more than {MAX_NODES:,} values.")


def text_of(stream: Any, kind: str) -> str:
    """A body, which is UTF-8 whatever it says."""
    data = stream.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(
            f"The {kind} is not UTF-8 text: byte {error.start + 1} is wrong."
        ) from None
    if (place := text.find("\0")) >= 0:
        raise ParseError(f"The {kind} has a NUL at character {place + 1}.")
    return text
