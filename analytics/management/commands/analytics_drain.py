"""``manage.py analytics_drain``: count what waits, without a broker."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections

from ...rollup.job import drain_once
from ...stream import StreamError

INTERVAL = 2.0


class Command(BaseCommand):
    """Counts waiting events every two seconds, as the Celery task does."""

    help = "Counts waiting requests; for ever, or with --once until nothing waits."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="End when nothing waits."
        )

    def handle(self, *, once: bool, **options: Any) -> None:
        if once:
            self._drain_all()
            return
        while True:
            started = time.monotonic()
            self._drain_or_say()
            time.sleep(max(0.0, INTERVAL - (time.monotonic() - started)))

    def _drain_all(self) -> None:
        try:
            while said := drain_once():
                self.stdout.write(said)
        except (StreamError, DatabaseError) as error:
            raise CommandError(f"{_advice(error)} Nothing is lost.") from error

    def _drain_or_say(self) -> None:
        try:
            close_old_connections()
            if said := drain_once():
                self.stdout.write(said)
        except (StreamError, DatabaseError) as error:
            self.stderr.write(f"{_advice(error)} Trying again.")


def _advice(error: Exception) -> str:
    part = "Redis" if isinstance(error, StreamError) else "The database"
    return f"{part} did not answer ({error})."
