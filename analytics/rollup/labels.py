"""What people see of keys that are codes: languages, countries, statuses, users.

Reads tables that Django, Python and the time zone database bring along; no SQL. A code
that no table has is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from importlib import resources
from typing import Any, NamedTuple

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.contrib.auth import get_user_model
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

CHINESE = "zh"
"""Django knows its scripts alone."""


class Label(NamedTuple):
    """What people see of a key."""

    text: str
    url: str = ""
    """Where a click on it leads, if anywhere."""
    permission: str = ""
    """Who may follow it, as ``app.codename``; empty: whoever sees it."""
    name: str = ""
    """Who it is, shown instead of the text to who may follow it."""

    def seen_by(self, user: Any) -> Label:
        """Without a link that leads where the user may not go, and what is there."""
        if self.permission and not user.has_perm(self.permission):
            return self._replace(url="", name="")
        return self._replace(text=self.name or self.text)


def languages(keys: Sequence[str]) -> dict[str, Label]:
    """``de`` -> German."""
    names = _language_names()
    return {key: Label(names[key]) for key in keys if key in names}


def countries(keys: Sequence[str]) -> dict[str, Label]:
    """``DE`` -> Germany."""
    names = _country_names()
    return {key: Label(names[key]) for key in keys if key in names}


def statuses(keys: Sequence[str]) -> dict[str, Label]:
    """``404`` -> 404 Not Found."""
    names = _status_names()
    return {key: Label(f"{key} {names[key]}") for key in keys if key in names}


def users(keys: Sequence[str]) -> dict[str, Label]:
    """The id, and the user's page; who it is, is told only to who may open that.

    The setting ``ANALYTICS_USER_NAMES`` names a function from ids to names.
    """
    model = get_user_model()._meta
    page = f"admin:{model.app_label}_{model.model_name}_change"
    permission = f"{model.app_label}.view_{model.model_name}"
    path = getattr(settings, "ANALYTICS_USER_NAMES", "")
    names = import_string(path)(keys) if path else {}
    try:
        return {
            key: Label(key, reverse(page, args=[key]), permission, names.get(key, ""))
            for key in keys
        }
    except NoReverseMatch:
        return {}


def finder(names: Callable[[], Mapping[str, str]]) -> Callable[[str], list[str]]:
    """A search for codes by what they, or their names, have in them."""

    def find(text: str) -> list[str]:
        text = text.lower()
        return [
            code for code, name in names().items() if text in f"{code} {name}".lower()
        ]

    return find


def _language_names() -> dict[str, str]:
    plain = (code for code, info in LANG_INFO.items() if "name" in info)
    names = {code: get_language_info(code)["name_translated"] for code in plain}
    return {CHINESE: str(_("Chinese")), **names}


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    """From the table of the time zone database, in English."""
    try:
        table = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab")
        lines = table.read_text("utf-8").splitlines()
    except (ModuleNotFoundError, FileNotFoundError):
        return {}
    return dict(line.split("\t", 1) for line in lines if not line.startswith("#"))


def _status_names() -> dict[str, str]:
    return {str(status.value): status.phrase for status in HTTPStatus}


find_language = finder(_language_names)
find_country = finder(_country_names)
find_status = finder(lambda: dict.fromkeys(map(str, range(600)), "") | _status_names())
