"""The order form: what was typed, and what is wrong with it.

Reads the fields of one request; the template shows them again, escaped, beside the
errors. Writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

NAME_LIMIT = 100
EMAIL_LIMIT = 254
QUANTITY_LIMIT = 20
# Whether an address exists only a mail to it can tell.
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_QUANTITY = re.compile(r"[0-9]{1,4}")


@dataclass(slots=True)
class OrderForm:
    """One order as typed."""

    name: str = ""
    email: str = ""
    quantity: str = "1"
    errors: dict[str, str] = field(default_factory=dict)
    """By field; empty when it can be ordered."""

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> OrderForm:
        form = cls(
            name=fields.get("name", "").strip(),
            email=fields.get("email", "").strip().lower(),
            quantity=fields.get("quantity", "").strip(),
        )
        form._check()
        return form

    def _check(self) -> None:
        if not self.name:
            self.errors["name"] = "Please tell us your name."
        elif len(self.name) > NAME_LIMIT or not self.name.isprintable():
            self.errors["name"] = f"A name has up to {NAME_LIMIT} letters."
        plain = len(self.email) <= EMAIL_LIMIT and self.email.isprintable()
        if not (plain and _EMAIL.fullmatch(self.email)):
            self.errors["email"] = "Please give an address such as ada@example.org."
        if not (_QUANTITY.fullmatch(self.quantity) and self._is_usual()):
            self.errors["quantity"] = f"You can order 1 to {QUANTITY_LIMIT} of it."

    def _is_usual(self) -> bool:
        return 1 <= int(self.quantity) <= QUANTITY_LIMIT
