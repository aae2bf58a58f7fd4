"""The description of the API (OpenAPI 3) as this process has it, made once.

Reads what drf-spectacular makes of the code, with which alone it changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

VERBS = ("get", "put", "post", "patch", "delete")

Described = dict[str, Any]


@cache
def description() -> Described:
    # It imports the views, which may ask here.
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator(api_version="v1").get_schema(request=None, public=True)


def addresses() -> Iterator[dict[str, Any]]:
    """Paths that are complete as they are, and what each is asked with."""
    for path, operations in description()["paths"].items():
        if "{" not in path:
            methods = [verb.upper() for verb in VERBS if verb in operations]
            yield {"path": path, "methods": methods}
