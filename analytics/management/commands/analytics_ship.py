"""``manage.py analytics_ship``: send what ended web processes left on this machine."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...conf import get_config, get_stream
from ...recording.shipper import Shipper
from ...sites import to_ship
from ...stream import StreamError

RETRY_SECONDS = 1.0


class Command(BaseCommand):
    """For stop scripts: run it when the last web process has ended."""

    help = (
        "Ships the journals that ended web processes left on this machine, also those "
        "of other sites with the same key, waiting for Redis if need be; with --once "
        "in one attempt."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="Fail at once if Redis is away."
        )

    def handle(self, *, once: bool, **options: Any) -> None:
        shippers: dict[str, Shipper] = {}
        try:
            while not self._attempt(shippers, once):
                time.sleep(RETRY_SECONDS)
        finally:
            for shipper in shippers.values():
                shipper.release()

    def _attempt(self, shippers: dict[str, Shipper], once: bool) -> bool:
        """Whether everything was sent."""
        try:
            for site in to_ship():
                shippers.setdefault(site, _shipper_of(site))
            swept = [shipper.sweep() for shipper in shippers.values()]
        except StreamError as error:
            if once:
                raise CommandError(
                    f"Redis did not answer ({error}). The journals stay on disk; "
                    "run this again when it does."
                ) from error
            self.stderr.write(f"Redis did not answer ({error}). Trying again.")
            return False
        journals, unsent = map(sum, zip(*swept, strict=True))
        if unsent and once:
            raise CommandError(
                f"The stream is full, so {unsent} events stay on disk: let the "
                "drain run, then run this again."
            )
        if not unsent:
            self.stdout.write(f"Journals of {journals} ended processes sent.")
        return not unsent


def _shipper_of(site: str) -> Shipper:
    config = get_config().recorder
    return Shipper(
        get_stream(site=site),
        config.journal_dir,
        max_bytes=config.journal_max_bytes,
        max_batches=config.stream_max_batches,
    )
