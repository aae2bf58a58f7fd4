"""What a stored chart may filter by: plain lookups on few columns.

Reads what a definition says; queries nothing and writes nothing. What breaks a rule
raises ValidationError with a sentence for people.

The package behind the charts calls whatever method of a queryset a definition names.
Here, two are allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

MEASURES = ("views", "requests", "errors", "bytes")
DATE_FIELD = "bucket"
KEY_FIELD = "key"
METHODS = ("filter", "exclude")
PARTS_LIMIT = 10
VALUES_LIMIT = 100
TEXT_LIMIT = 200
_LARGEST = 2**63 - 1
_COMPARISONS = ("exact", "in", "gt", "gte", "lt", "lte", "range")
# Nothing that a database may need for ever for, as a regular expression.
_SEARCHES = ("exact", "in", "startswith", "endswith", "contains", "icontains")
_LISTS = ("in", "range")


def verify_modifiers(modifiers: Any) -> None:
    """Raise ValidationError unless it is a list of ``{"filter": {lookup: value}}``."""
    if modifiers in (None, [], ""):
        return
    if not isinstance(modifiers, list) or len(modifiers) > PARTS_LIMIT:
        raise ValidationError(_("Write a JSON list of at most ten modifiers."))
    for modifier in modifiers:
        if not isinstance(modifier, dict) or len(modifier) != 1:
            raise ValidationError(
                _('Each modifier is an object with one name: {"filter": {…}}.')
            )
        ((method, lookups),) = modifier.items()
        if method not in METHODS:
            raise ValidationError(
                _("“%(method)s” is not allowed: modifiers are filter and exclude.")
                % {"method": str(method)[:TEXT_LIMIT]}
            )
        verify_lookups(lookups)


def verify_lookups(lookups: Any) -> None:
    """Raise ValidationError unless it maps plain lookups to values of their type."""
    if not isinstance(lookups, dict) or not 0 < len(lookups) <= PARTS_LIMIT:
        raise ValidationError(
            _('Write one to ten lookups as a JSON object: {"key": "/shop/"}.')
        )
    for name, value in lookups.items():
        _verify_lookup(str(name), value)


def _verify_lookup(name: str, value: Any) -> None:
    field, _separator, lookup = name.partition("__")
    lookup = lookup or "exact"
    allowed, is_good = _FIELDS.get(field, ((), None))
    if is_good is None or lookup not in allowed:
        raise ValidationError(
            _("“%(name)s” is not allowed in a filter. Fields: %(fields)s.")
            % {"name": name[:TEXT_LIMIT], "fields": ", ".join(_FIELDS)}
        )
    values = value if isinstance(value, list) else [value]
    if isinstance(value, list) != (lookup in _LISTS) or len(values) > VALUES_LIMIT:
        raise ValidationError(
            _("“%(name)s” needs %(what)s.")
            % {
                "name": name,
                "what": _("a list of at most a hundred values")
                if lookup in _LISTS
                else _("one value"),
            }
        )
    if not all(map(is_good, values)) or (lookup == "range" and len(values) != 2):
        raise ValidationError(
            _(
                "“%(name)s” has a value of the wrong kind. Keys are text, measures "
                "whole numbers, times are written as 2026-07-01T00:00:00Z."
            )
            % {"name": name}
        )


def is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= TEXT_LIMIT and "\0" not in value


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _is_time(value: Any) -> bool:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is not None


_FIELDS: Mapping[str, tuple[tuple[str, ...], Callable[[Any], bool]]] = {
    KEY_FIELD: (_SEARCHES, is_text),
    DATE_FIELD: (_COMPARISONS, _is_time),
    **dict.fromkeys(MEASURES, (_COMPARISONS, _is_number)),
    "duration": (_COMPARISONS, _is_number),
}
