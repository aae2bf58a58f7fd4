"""Typed reading of environment variables, for settings.py and run.py.

Reads `os.environ` and nothing else; a value that cannot be used ends the start with a
sentence that names the variable.
"""

import os

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """An empty variable counts as unset, so that `.env` lines may stay empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    if value:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return default


def number(name: str, default: int) -> int:
    value = text(name)
    try:
        return int(value) if value else default
    except ValueError:
        message = f"{name} must be a whole number, not {value!r}."
        raise ImproperlyConfigured(message) from None


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A list, written with commas."""
    items = [item.strip() for item in text(name).split(",")]
    return [item for item in items if item] or list(default)
