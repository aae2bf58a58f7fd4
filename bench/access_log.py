"""How fast an access log is imported, from the file to committed SQL, in one process.

Writes a log of ten recent days in the combined format. The peer is goaccess, if it is
on PATH: a program in C that keeps no database. Verifies that every line is counted.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import report
from .report import Line, progress, spaced
from .traffic import BOTS, BROWSERS, METHODS, REFERRERS, STATUSES, VISITORS
from .workspace import workspace

TARGET = 50_000
DAYS = 10
PAGES = 300
QUERIES = ("", "", "", "?page={}", "?utm_source=news&utm_medium=mail&utm_campaign={}")


def measure(quick: bool) -> Iterator[Line]:
    count = 50_000 if quick else 1_000_000
    with workspace() as valkey:
        log = Path(valkey.folder) / "access.log"
        progress(f"access_log: {spaced(count)} lines")
        with log.open("w") as file:
            file.writelines(lines(count))
        seconds, used, counted = _import(log)
        peer = _goaccess(log, count)
        size = log.stat().st_size
    rate = count / seconds
    yield Line(
        what=f"import of an access log of {spaced(size / 1e6)} MB, {DAYS} days",
        peers=peer,
        ours=f"{spaced(rate)} lines/s, {spaced(count / used)} per second of processor",
        target=f"≥ {spaced(TARGET)} lines/s",
        reached=rate >= TARGET and counted == count,
        verified=f"{spaced(count)} lines, {spaced(counted)} counted",
    )


def lines(count: int) -> Iterator[str]:
    """Lines of ``count`` requests for `bench.pages`, some of them for no page."""
    rng = random.Random(11)
    people = [(_address(rng), _agent(rng)) for _ in range(VISITORS)]
    first = datetime.now(UTC) - timedelta(days=DAYS + 3)
    step = timedelta(days=DAYS) / count
    for number in range(count):
        at = f"{first + number * step:%d/%b/%Y:%H:%M:%S %z}"
        address, agent = people[min(int(rng.expovariate(4) * VISITORS), VISITORS - 1)]
        host = rng.choice(REFERRERS)
        referrer = f"https://{host}/page/{rng.randrange(1_000)}" if host else "-"
        path, status = _path(rng), rng.choice(STATUSES)
        yield (
            f'{address} - - [{at}] "{rng.choice(METHODS)} {path} HTTP/1.1" {status} '
            f'{rng.randrange(40_000)} "{referrer}" "{agent}"\n'
        )


def _path(rng: random.Random) -> str:
    if rng.random() < 0.03:
        return f"/wp-{rng.randrange(5_000)}.php"
    number = min(int(rng.expovariate(4) * PAGES), PAGES)
    query = rng.choice(QUERIES).format(rng.randrange(50))
    return f"/shop/section-{rng.randrange(9)}/{number}/{query}"


def _address(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return f"2001:db8:{rng.randrange(65_536):x}::1"
    return f"198.51.100.{rng.randrange(256)}"


def _agent(rng: random.Random) -> str:
    return rng.choice(BOTS if rng.random() < 0.1 else BROWSERS)


def _import(log: Path) -> tuple[float, float, int]:
    """Seconds, those of the processor, and how many requests the tables have."""
    from django.core.management import call_command

    from . import serving

    started, used = time.perf_counter(), time.process_time()
    call_command("import_access_log", str(log), verbosity=0)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    return seconds, used, serving.total()


def _goaccess(log: Path, count: int) -> str:
    if not (program := shutil.which("goaccess")):
        return "goaccess is not installed"
    result = log.with_suffix(".json")
    command = [program, str(log), "--log-format=COMBINED", "--no-progress"]
    before, started = os.times(), time.perf_counter()
    subprocess.run([*command, "-o", str(result)], check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, os.times()
    used = after.children_user - before.children_user
    used += after.children_system - before.children_system
    read = json.loads(result.read_text())["general"]["valid_requests"]
    assert read == count, f"goaccess counted {read} lines of {count}"
    return (
        f"goaccess {spaced(count / seconds)} lines/s, "
        f"{spaced(count / used)} per second of processor"
    )


if __name__ == "__main__":
    report.main(measure)
