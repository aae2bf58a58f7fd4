"""Many things, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """As ``itertools.batched``, which Python has from 3.12 on."""
    iterator = iter(items)
    while some := tuple(islice(iterator, size)):
        yield some
