"""``manage.py import_access_log``: count what access logs tell of earlier times."""

from __future__ import annotations

import datetime
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from ... import sites
from ...conf import get_config
from ...history.beginning import BeginningUnknown, first_live
from ...history.files import STDIN, LogError, LogFile
from ...history.formats import FORMATS, NAMES, format_named
from ...history.importing import Options, Report, import_log
from ...history.rejects import SUFFIX, Rejects
from ...recording.event import clean

BAR = 30
BAR_SECONDS = 0.2


def moment(text: str) -> datetime.datetime:
    """The type of ``--until``: a date or a date and time, of TIME_ZONE if not said."""
    try:
        found = parse_datetime(text) or parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise ArgumentTypeError(
            f"a time as 2026-07-01 or 2026-07-01T12:30, not {text!r}"
        )
    if not isinstance(found, datetime.datetime):
        found = datetime.datetime.combine(found, datetime.time())
    if timezone.is_naive(found):
        found = timezone.make_aware(found, get_config().zone)
    return found.astimezone(datetime.UTC).replace(microsecond=0)


def prefix(text: str) -> str:
    if not text.startswith("/"):
        raise ArgumentTypeError(f"the beginning of a path, as /static/, not {text!r}")
    return text


class Command(BaseCommand):
    """Reads each file once, however often it is named, renamed, packed or grown."""

    help = (
        "Counts the requests in access logs of nginx and Apache, plain or gzip, that "
        "are older than the first one this site recorded itself."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "files", nargs="+", metavar="FILE", help="- is the standard input."
        )
        parser.add_argument("--name", default="", help="What to call the only FILE.")
        parser.add_argument(
            "--format",
            choices=NAMES,
            metavar="FORMAT",
            help="; ".join(f"{one.name}: {one.label}" for one in FORMATS)
            + ". Recognised, unless told.",
        )
        parser.add_argument(
            "--until",
            type=moment,
            metavar="TIME",
            help="Count lines before then; the first request recorded live.",
        )
        parser.add_argument(
            "--site",
            default="",
            help="A registered site whose log it is; by default our own.",
        )
        parser.add_argument(
            "--host",
            action="append",
            default=[],
            help="A name of this site, which is no referrer; besides ALLOWED_HOSTS.",
        )
        parser.add_argument(
            "--ignore",
            action="append",
            default=[],
            type=prefix,
            metavar="PREFIX",
            help="Paths to leave out, as /static/; besides ANALYTICS_IGNORE.",
        )
        parser.add_argument(
            "--rejects",
            type=Path,
            metavar="PATH",
            help=f"File for lines that cannot be read; FILE{SUFFIX}.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Print sums by day, write nothing."
        )

    def handle(self, *, files: list[str], verbosity: int, **options: Any) -> None:
        self.verbosity = verbosity
        name = options["name"]
        if name and len(files) > 1:
            raise CommandError("--name goes with one FILE.")
        if STDIN in files and not name:
            raise CommandError("The standard input needs a name: --name access.log.")
        try:
            how = self._options(options)
            whole, failed = self._import_all(files, name, how, options["rejects"])
        except DatabaseError as error:
            raise CommandError(
                f"The database did not answer ({error}). Nothing is counted twice: run "
                "this again when it does."
            ) from error
        if len(files) > 1:
            self.say(_summary("Together", whole, how.dry_run))
        if how.dry_run:
            self._show_days(whole)
        if failed:
            raise CommandError(f"Not read, or not to the end: {', '.join(failed)}.")

    def _options(self, options: dict[str, Any]) -> Options:
        until = options["until"]
        try:
            site = sites.chosen(options["site"])
            cut = until or first_live(site)
        except (BeginningUnknown, sites.SiteError) as error:
            raise CommandError(str(error)) from error
        self.say(_shown_cut(cut, until is not None))
        own = settings.ALLOWED_HOSTS if site == get_config().site else ()
        own_hosts = (*own, *options["host"])
        if set(own_hosts) <= {"*"}:
            self.stderr.write(
                "No name of this site is known, so links within it count as referrers: "
                "name it with --host."
            )
        return Options(
            until=cut,
            until_told=until is not None,
            expected=options["format"] and format_named(options["format"]),
            own_hosts=own_hosts,
            ignore=tuple(options["ignore"]),
            dry_run=options["dry_run"],
            site=site,
        )

    def _import_all(
        self, files: list[str], name: str, how: Options, rejects: Path | None
    ) -> tuple[Report, list[str]]:
        whole, failed = Report(), []
        for path in files:
            if path.endswith(SUFFIX):
                self.say(f"{clean(path)}: left out, for an import wrote it.")
                continue
            kept = Rejects(None if how.dry_run else rejects or _beside(path, name))
            try:
                with LogFile(path, name) as log:
                    report = import_log(log, how, kept, _Bar())
            except LogError as error:
                self.stderr.write(clean(str(error), 1_000))
                failed.append(clean(path))
                continue
            whole.add(report)
            self.say(_summary(clean(name or path), report, how.dry_run))
            if kept.count and kept.path:
                shown = clean(str(kept.path), 1_000)
                self.say(f"  The unreadable lines are in {shown}.")
        return whole, failed

    def _show_days(self, report: Report) -> None:
        """Sums by day; in a dry run they are all there is."""
        rows = [("day", "requests", "views", "errors", "bytes")]
        for day in sorted(report.days):
            date = datetime.datetime.fromtimestamp(day, get_config().zone).date()
            sums = report.days[day]
            counts = (sums.requests, sums.views, sums.errors, sums.bytes)
            rows.append((date.isoformat(), *(f"{count:,}" for count in counts)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.rjust(w) for cell, w in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells))

    def say(self, text: str) -> None:
        if self.verbosity:
            self.stdout.write(text)


def _shown_cut(cut: datetime.datetime | None, told: bool) -> str:
    if cut is None:
        return "All lines are counted: this site has not recorded anything itself."
    shown = f"{cut.astimezone(get_config().zone):%Y-%m-%d %H:%M:%S}"
    why = "as told" if told else "when this site began to count by itself"
    return f"Lines before {shown} are counted: {why}."


def _beside(path: str, name: str) -> Path:
    """Where a file's unreadable lines go; of the standard input, into this folder."""
    if path == STDIN:
        return Path(Path(name).name + SUFFIX)
    return Path(path + SUFFIX)


def _summary(name: str, report: Report, dry_run: bool) -> str:
    return f"{name}: " + ", ".join(_parts(report, dry_run)) + "."


def _parts(report: Report, dry_run: bool) -> Iterator[str]:
    verb = "would be counted" if dry_run else "counted"
    yield f"{report.lines:,} lines read"
    yield f"{report.counted:,} {verb}"
    if report.too_new > 0:
        yield f"{report.too_new:,} too new"
    if report.ignored:
        yield f"{report.ignored:,} ignored"
    if report.rejected:
        yield f"{report.rejected:,} unreadable"
    if report.unfinished:
        yield f"{report.unfinished:,} without an end yet"
    if report.days:
        dates = [
            datetime.datetime.fromtimestamp(day, get_config().zone).date()
            for day in (min(report.days), max(report.days))
        ]
        yield f"{len(report.days):,} days from {dates[0]} to {dates[1]}"
    yield f"{report.seconds:.1f} s"
    if report.lines and report.seconds:
        yield f"{report.lines / report.seconds:,.0f} lines/s"


class _Bar:
    """Progress, where somebody watches."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._began = self._shown = time.monotonic()

    def __call__(self, log: LogFile, lines: int) -> None:
        now = time.monotonic()
        if not self._watched or now - self._shown < BAR_SECONDS:
            return
        self._shown = now
        fraction = log.fraction()
        bar = ""
        if fraction is not None:
            done = "█" * round(fraction * BAR)
            bar = f"{done.ljust(BAR, '░')} {fraction:4.0%}  "
        rate = lines / (now - self._began)
        # Shown, and gone when the summary is written over it.
        print(
            f"\r{bar}{lines:,} lines, {rate:,.0f} lines/s\x1b[K\r",
            end="",
            file=sys.stderr,
            flush=True,
        )
