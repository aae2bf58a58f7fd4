"""Lists in pages: ``page`` and ``page_size``, no larger than what one answer holds."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response


class KeysFirst(Paginator):
    """Sorts primary keys alone, in the same query: databases carry whole rows through
    a sort, also those of all the pages before."""

    def _get_page(self, rows: QuerySet, *args: Any, **kwargs: Any) -> Page:
        keys = rows.values("pk")
        return super()._get_page(self.object_list.filter(pk__in=keys), *args, **kwargs)


class Pages(PageNumberPagination):
    django_paginator_class = KeysFirst
    page_size = 100
    max_page_size = 1_000
    page_size_query_param = "page_size"

    def get_page_size(self, request: Any) -> int:
        """What is asked for, exactly: a smaller page would pass for the last one."""
        text = request.query_params.get(self.page_size_query_param)
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdigit() and len(text) < 5):
            raise ValidationError({"page_size": ["It is no whole number."]})
        if not 1 <= int(text) <= self.max_page_size:
            raise ValidationError(
                {"page_size": [f"It must be from 1 to {self.max_page_size}."]}
            )
        return int(text)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """With the bounds, for the description."""
        found = super().get_schema_operation_parameters(view)
        for one in found:
            one["schema"] |= {"minimum": 1}
            if one["name"] == self.page_size_query_param:
                one["schema"] |= {"maximum": self.max_page_size}
        return found

    def get_paginated_response(self, data: Any) -> Response:
        """The numbers are in headers too: a table has no room for them."""
        response = super().get_paginated_response(data)
        response["X-Total-Count"] = str(response.data["count"])
        links = [("next", response.data["next"]), ("prev", response.data["previous"])]
        if link := ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links if url):
            response["Link"] = link
        return response
