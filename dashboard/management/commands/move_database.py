"""`manage.py move_database --from FILE`: all data from SQLite to other databases.

The target is what the settings name: DATABASE_URL, and for accounts USERS_DATABASE_URL.
Reads the file, which stays as it is; writes empty databases, or nothing.
"""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard.moving.move import CannotMove, move
from dashboard.moving.tables import Sum, Table


class Command(BaseCommand):
    help = (
        "Moves all data of an SQLite file into the empty databases that DATABASE_URL "
        "and USERS_DATABASE_URL name. Stop web, workers and beat first, and start them "
        "with the new settings afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from",
            dest="file",
            type=Path,
            required=True,
            help="The SQLite file, as var/db.sqlite3.",
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        begun = time.monotonic()
        try:
            rows = move(file, self.report)
        except CannotMove as error:
            raise CommandError(str(error)) from error
        seconds = time.monotonic() - begun
        self.stdout.write(
            f"{rows} rows in {seconds:.1f} s ({rows / seconds:.0f} a second), "
            "read back and the same. The file is as it was."
        )

    def report(self, table: Table, done: Sum) -> None:
        place = f"{table.alias}.{table.name}"
        self.stdout.write(f"{place:50} {done.rows:9} {done.digest:016x}")
