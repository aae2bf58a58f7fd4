"""Lists of values for queries, in parts that fit into one of any database."""

from __future__ import annotations

from collections.abc import Iterator

CHUNK = 5_000


def chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
