"""JSON in; what goes out is Django REST framework's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from api.formats.tree import text_of


class JsonParser(BaseParser):
    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        text = text_of(stream, "JSON")
        try:
            return json.loads(
                text, object_pairs_hook=_object, parse_constant=_no_number
            )
        except json.JSONDecodeError as error:
            raise ParseError(
                f"The body is not JSON: {error.msg}, at line {error.lineno}, "
                f"column {error.colno}."
            ) from None
        except ValueError as error:
            # Numbers of thousands of digits.
            raise ParseError(f"The body is not JSON: {error}.") from None
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise ParseError(f"The JSON has “{double[:40]}” twice in one object.")
    return found


def _no_number(word: str) -> None:
    raise ParseError(f"The body is not JSON: {word} is no number.")
