"""Searching and ordering lists, by what a view allows and by nothing else."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter, SearchFilter

MAX_LENGTH = 100
MAX_WORDS = 8
"""Each is a condition on every field: thousands would be more than SQL takes."""


class Search(SearchFilter):
    """Every word has to be in one of the view's ``search_fields``."""

    def get_search_terms(self, request: Any) -> list[str]:
        text = request.query_params.get(self.search_param, "")
        if "\0" in text:
            raise ValidationError({"search": ["It has a NUL."]})
        words = super().get_search_terms(request)
        if len(text) > MAX_LENGTH or len(words) > MAX_WORDS:
            raise ValidationError(
                {"search": [f"At most {MAX_WORDS} words, {MAX_LENGTH} characters."]}
            )
        return words


class Ordering(OrderingFilter):
    """By the view's ``ordering_fields``; equal rows by primary key."""

    def remove_invalid_fields(
        self, queryset: Any, fields: list[str], view: Any, request: Any
    ) -> list[str]:
        allowed = [name for name, _ in self.get_valid_fields(queryset, view)]
        for name in fields:
            if name.removeprefix("-") not in allowed:
                raise ValidationError(
                    {"ordering": [f"It must be of: {', '.join(allowed)}."]}
                )
        return fields

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> list[str]:
        """Never ambiguous: a row must not be on two pages, nor on none."""
        found = super().get_ordering(request, queryset, view)
        return [*(found or queryset.model._meta.ordering), "pk"]
