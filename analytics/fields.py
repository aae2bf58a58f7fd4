"""The model fields of the rollups' mergeable values: histograms and sketches.

They read and write the bytes of `analytics.rollup.sketches` in a binary column, and
base64 of them in fixtures. They never let a value in that those types refuse, and do
not show up in forms unless asked.
"""

import binascii
from base64 import b64decode, b64encode
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import BinaryField, Model
from django.utils.translation import gettext_lazy as _

from analytics.rollup.sketches import Histogram, Visitors


class _SketchField(BinaryField):
    """A column of bytes whose Python value is of `value_class`, empty by default."""

    value_class: type[Histogram] | type[Visitors]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", self.value_class)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if kwargs.get("default") is self.value_class:
            del kwargs["default"]
        return name, path, args, kwargs

    def to_python(self, value: Any) -> Histogram | Visitors | None:
        """The value of stored bytes or of base64; ValidationError if it is neither."""
        if value is None or isinstance(value, self.value_class):
            return value
        try:
            return self.value_class.from_bytes(_stored(value))
        except (ValueError, TypeError) as error:
            raise ValidationError(
                self.error_messages["invalid"],
                code="invalid",
                params={"field": self.name, "reason": error},
            ) from error

    def from_db_value(
        self, value: Any, expression: Any, connection: Any
    ) -> Histogram | Visitors | None:
        return self.to_python(value)

    def get_prep_value(self, value: Any) -> bytes | None:
        value = self.to_python(super().get_prep_value(value))
        return None if value is None else value.to_bytes()

    def value_to_string(self, obj: Model) -> str:
        return b64encode(self.get_prep_value(self.value_from_object(obj))).decode()


def _stored(value: Any) -> bytes:
    if isinstance(value, str):
        try:
            return b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError(f"It is not base64: {error}.") from error
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise TypeError(f"It is a {type(value).__name__}, not bytes.")


class HistogramField(_SketchField):
    """Durations of requests, as a `Histogram`."""

    description = _("Histogram of durations")
    default_error_messages = {
        "invalid": _("“%(field)s” does not hold a histogram. %(reason)s")
    }
    value_class = Histogram


class VisitorsField(_SketchField):
    """Different visitors, as a `Visitors` sketch."""

    description = _("Sketch of visitors")
    default_error_messages = {
        "invalid": _("“%(field)s” does not hold a visitor sketch. %(reason)s")
    }
    value_class = Visitors
