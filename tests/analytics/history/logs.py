"""Lines of access logs, as nginx and Apache write them."""

import datetime
import gzip
from pathlib import Path

from django.core.management import call_command

from analytics.models import ImportedFile, Producer, Rollup
from analytics.rollup.buckets import Grain

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
START = datetime.datetime(2026, 3, 2, 10, tzinfo=datetime.UTC)
"""A Monday, some months ago: only rows of days are left of it."""


def line(
    at: datetime.datetime | int = 0,
    request: str = "GET /products/ HTTP/1.1",
    *,
    address: str = "192.0.2.7",
    user: str = "-",
    status: object = 200,
    size: object = 512,
    referrer: str = "-",
    agent: str = FIREFOX,
    tail: str = "",
) -> str:
    """A line in the combined format; ``at`` may be minutes after `START`."""
    if isinstance(at, int):
        at = START + datetime.timedelta(minutes=at)
    shown = at.strftime("%d/%b/%Y:%H:%M:%S %z")
    return (
        f'{address} - {user} [{shown}] "{request}" {status} {size} '
        f'"{referrer}" "{agent}"{tail}'
    )


def write(path: Path, lines: list[str], end: str = "\n") -> Path:
    """Packed if the name says so."""
    data = "".join(one + end for one in lines).encode("latin-1")
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def run(*arguments: object, **options: object) -> None:
    call_command("import_access_log", *map(str, arguments), **options)


def requests(dimension: str = "total", key: str = "", **where: object) -> int:
    """Requests of all days."""
    rows = Rollup.objects.of("test", dimension, Grain.DAY).filter(key=key, **where)
    return sum(row.requests for row in rows)


def keys(dimension: str) -> dict[str, int]:
    rows = Rollup.objects.of("test", dimension, Grain.DAY).order_by("bucket", "key")
    found: dict[str, int] = {}
    for row in rows:
        found[row.key] = found.get(row.key, 0) + row.requests
    return found


def assert_adds_up() -> None:
    """The tables, the ledger and the list of files tell the same."""
    files, lines = ImportedFile.objects.all(), Producer.objects.all()
    assert requests() == sum(file.counted for file in files)
    assert requests() == sum(line.counted for line in lines)
    assert not any(line.waiting for line in lines)
    assert sum(f.rejected for f in files) == sum(line.rejected for line in lines)


def table() -> list[tuple]:
    """All rollups, but for their ids."""
    names = [field.name for field in Rollup._meta.fields if field.name != "id"]
    rows = Rollup.objects.values_list(*names)
    return sorted((*row[:-2], str(row[-2]), row[-1].estimate()) for row in rows)
