"""The country of an address, from a MaxMind file on the local disk.

Reads the file, once; the address goes nowhere. Needs no Django, and the package
``maxminddb`` only where a file is configured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .headers import country_code


def countries(database: Path | None) -> Callable[[str], str]:
    """A function from an address to a code of two letters, empty where unknown.

    Without a file it knows none. Raises OSError or ValueError if the file cannot be
    read, ImportError without the package.
    """
    if database is None:
        return lambda address: ""
    import maxminddb

    try:
        reader = maxminddb.open_database(database, maxminddb.MODE_MEMORY)
    except maxminddb.InvalidDatabaseError as error:
        raise ValueError(f"{database} is no MaxMind file: {error}") from error

    def country_of(address: str) -> str:
        try:
            found = reader.get(address)
        except Exception:
            # No address; or a file that is damaged there, which costs no request.
            return ""
        country = found.get("country") if isinstance(found, dict) else None
        code = country.get("iso_code", "") if isinstance(country, dict) else ""
        return country_code(code) if isinstance(code, str) else ""

    return country_of
