"""Which format an answer has: what ``?format=`` names, else what Accept prefers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation


class Choice(DefaultContentNegotiation):
    def get_accept_list(self, request: Any) -> list[str]:
        """Who names a format has said what to prefer."""
        named = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
        return ["*/*"] if named else super().get_accept_list(request)

    def filter_renderers(self, renderers: Iterable[Any], format: str) -> list[Any]:
        """Those of a name. A name that nobody has is no missing page."""
        found = [each for each in renderers if each.format == format]
        if not found:
            names = ", ".join(each.format for each in renderers)
            raise NotAcceptable(f"There is no such format. There are: {names}.")
        return found
