"""How a product's values are written into cells, and read from them.

Each class is a widget of import-export: ``clean`` gets a cell and returns a value, None
for an empty cell; ``render`` goes the other way. A ValueError is a sentence for people.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from import_export.widgets import Widget

from analytics.reporting.formulas import plain_text, safe_cell
from products.models import Category

WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
SHOWN = 40


def as_text(cell: Any) -> str:
    """A cell as a person reads it: spreadsheets turn 1001 into 1001.0."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return plain_text(cell) if isinstance(cell, str) else str(cell)


def unified(text: str) -> str:
    """With one kind of line end: programs change them as they like."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Text(Widget):
    """One line of text."""

    breaks = ""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str | None:
        text = as_text(value)
        if any(
            unicodedata.category(char) in ("Cc", "Cs") and char not in self.breaks
            for char in text
        ):
            raise ValueError("It contains control characters.")
        return self.final(text)

    def final(self, text: str) -> str | None:
        return text.strip() or None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return safe_cell(value or "")


class Paragraphs(Text):
    """Text of several lines; an empty cell empties it."""

    breaks = "\t\r\n"

    def final(self, text: str) -> str:
        return unified(text)


class Code(Text):
    """A word in capital letters."""

    def final(self, text: str) -> str | None:
        return text.strip().upper() or None


class Number(Widget):
    """What ``number`` makes of a text that matches."""

    matches: Callable[[str], object]
    number: Callable[[str], Any]
    refusal: str

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = as_text(value).strip()
        if not text:
            return None
        if isinstance(value, bool) or not self.matches(text):
            raise ValueError(f"“{text[:SHOWN]}” is {self.refusal}")
        return self.number(text)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value


class Price(Number):
    matches = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,15})?").fullmatch
    number = Decimal
    refusal = "not a price. Write it with a point: 24.50."


class Count(Number):
    matches = re.compile(r"[0-9]{1,12}").fullmatch
    number = int
    refusal = "not a whole number of pieces."


class YesNo(Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool | None:
        text = as_text(value).strip().lower()
        if not text:
            return None
        if text not in WORDS:
            raise ValueError(f"“{text[:SHOWN]}” is neither yes nor no.")
        return WORDS[text]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "yes" if value else "no"


class CategorySlug(Text):
    """A category by its slug. ``load`` is to be called before rows are read."""

    def __init__(self) -> None:
        super().__init__()
        self.categories: dict[str, Category] = {}

    def load(self) -> None:
        self.categories = {each.slug: each for each in Category.objects.all()}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        slug = super().clean(value, row, **kwargs)
        if slug is None:
            return None
        if slug not in self.categories:
            known = ", ".join(self.categories) or "none yet"
            raise ValueError(f"There is no category “{slug[:SHOWN]}”, only: {known}.")
        return self.categories[slug]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return safe_cell(value.slug)
