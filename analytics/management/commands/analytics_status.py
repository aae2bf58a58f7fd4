"""``manage.py analytics_status``: what was recorded, and what became of it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from ... import sites
from ...conf import get_config, get_stream
from ...recording.event import clean
from ...reporting.health import REDIS_TIMEOUT, look, waiting_sites
from ...reporting.ledger import Line, State, summary
from ...rollup.write_off import WriteOffError, publish, write_off
from ...stream import StreamError

# fmt: off
HEADINGS = (
    "PRODUCER", "PROCESS", "LAST HEARD OF (UTC)", "STATE",
    "RECORDED", "COUNTED", "WAITING", "ON DISK", "LOST", "REJECTED",
)
# fmt: on
TEXTS = 4
"""So many columns are texts, to the left; the others are numbers."""


class Command(BaseCommand):
    """Prints the ledger; writes only what ``--write-off`` asks for."""

    help = (
        "Shows how many requests were recorded, counted, are waiting or lost; "
        "recorded = counted + waiting + lost + rejected."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the sums only.")
        parser.add_argument(
            "--write-off",
            metavar="ID",
            help="Give up what waits of a missing producer: it becomes lost.",
        )
        parser.add_argument(
            "--site", default="", help="Whose producer it is; by default our own."
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="Write off also what may still come.",
        )

    def handle(self, **options: Any) -> None:
        try:
            if options["write_off"]:
                self._write_off(options["write_off"], options["force"], options["site"])
            else:
                self._show(options["json"])
        except DatabaseError as error:
            raise CommandError(
                f"The ledger cannot be read ({error}). Is the database running and "
                "migrated?"
            ) from error

    def _show(self, as_json: bool) -> None:
        lines, problem = look()
        if problem:
            self.stderr.write(
                f"Redis did not answer ({problem}): these are the numbers of the "
                "ledger and of this machine's journals."
            )
        sums = summary(lines)
        others = {site.name: site for site in sites.known()[1:]}
        if as_json:
            of_sites = {name: summary(look(name)[0]) for name in others}
            of_sites = {get_config().site: dict(sums), **of_sites}
            waiting = waiting_sites()
            said = {**sums, "sites": of_sites, "sites_waiting": waiting}
            self.stdout.write(json.dumps(said))
            return
        self._tell(get_config().site, lines)
        for name, site in others.items():
            self.stdout.write("")
            self._tell(name, look(name)[0], "" if site.active else " (not active)")
        for site in waiting_sites():
            self.stdout.write("\n" + _asks(site))

    def _tell(self, site: str, lines: list[Line], state: str = "") -> None:
        self.stdout.write(_sums(f"{site}{state}", summary(lines)))
        shown = [line for line in lines if line.waiting or line.lost or line.rejected]
        if shown:
            self.stdout.write("\n" + _table(map(_row, shown)))
        self._advise(shown, site)

    def _advise(self, lines: Iterable[Line], site: str) -> None:
        now = timezone.now()
        for line in lines:
            if line.state(now) == State.MISSING:
                self.stdout.write("\n" + _advice(line, site))

    def _write_off(self, producer: str, force: bool, site: str) -> None:
        try:
            site = sites.chosen(site)
            line, lost = write_off(producer, force, site)
        except (WriteOffError, sites.SiteError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{lost} events of {producer} are written off as lost.")
        try:
            publish(line, get_stream(REDIS_TIMEOUT, site))
        except StreamError as error:
            self.stderr.write(
                f"Redis did not answer ({error}). That changes nothing: should the "
                "producer come back, the drain tells it."
            )


def _asks(site: dict[str, Any]) -> str:
    why = "is not active" if site["registered"] else "waits to be registered"
    return (
        f"Site {clean(site['name'])} {why}, with {site['batches']} batches in Redis: "
        "see Sites in the admin."
    )


def _sums(site: str, sums: dict[str, Any]) -> str:
    oldest = sums["oldest_waiting_s"]
    since = "" if oldest is None else f"   the oldest for {oldest:.0f} s"
    names = ("recorded", "counted", "waiting", "lost", "rejected", "producers")
    width = len(str(max(sums[name] for name in names)))
    lines = [f"Site {site}"]
    for name in names:
        tail = since if name == "waiting" else ""
        lines.append(f"  {name:<10}{sums[name]:>{width}}{tail}")
    return "\n".join(lines)


def _row(line: Line) -> tuple[str, ...]:
    seen = f"{line.seen:%Y-%m-%d %H:%M:%S}" if line.seen else "never"
    numbers = (line.recorded, line.counted, line.waiting, line.held)
    return (
        clean(line.producer),
        # What another machine says of itself must not steer our terminal.
        f"{clean(line.host) or '?'}:{line.pid}",
        seen,
        str(line.state(timezone.now()).label),
        *(str(number) for number in (*numbers, line.lost, line.rejected)),
    )


def _table(rows: Iterable[Sequence[str]]) -> str:
    table = [HEADINGS, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if number < TEXTS else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    )


def _advice(line: Line, site: str) -> str:
    of = "" if site == get_config().site else f" --site {site}"
    name = clean(line.producer)
    if line.held:
        return (
            f"{name} is missing, but {line.held} of its events are on this machine: "
            "run analytics_ship, then analytics_drain --once."
        )
    return (
        f"{name} is missing with {line.waiting} events. If the disk of "
        f"{clean(line.host) or 'its machine'} still exists, run analytics_ship there; "
        f"if not, give them up with: analytics_status{of} --write-off {name}"
    )
