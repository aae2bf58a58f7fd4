"""``manage.py analytics_forget_user``: erase what is counted by a user's id."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from ...reporting.waiting import Waiting, waiting_of
from ...rollup.dimensions import OTHER
from ...rollup.forgetting import Erased, forget
from ...stream import StreamError
from ...words import number

AGAIN = "Run this again when analytics_status shows nothing waiting."


class Command(BaseCommand):
    """Writes through `forget` alone. Fails while something may come back."""

    help = (
        "Erases the rows of these signed-in users from the dimension `user`; what was "
        "counted becomes a part of (other), so that no sum changes."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("users", nargs="+", metavar="ID", help="The primary key.")

    def handle(self, *, users: list[str], **options: Any) -> None:
        if OTHER in users or "" in users:
            raise CommandError(f"{OTHER} and nothing are no users.")
        # In this order: what is counted meanwhile is seen at least once.
        waiting, problem = _look(users)
        try:
            erased = forget(users)
        except DatabaseError as error:
            raise CommandError(
                f"The database did not answer ({error}). What was erased stays so; run "
                "this again."
            ) from error
        self.stdout.write(_report(erased))
        if problem:
            raise CommandError(
                f"Redis did not answer ({problem}), so nobody knows whether more of "
                f"them waits to be counted. {AGAIN}"
            )
        self._warn(waiting)

    def _warn(self, waiting: Waiting) -> None:
        if waiting.unseen:
            self.stderr.write(
                f"On the disks of other machines {number(waiting.unseen)} requests "
                "wait to be counted; whose they are cannot be seen from here."
            )
        if waiting.found:
            raise CommandError(
                f"{number(waiting.found)} requests of them wait to be counted. {AGAIN}"
            )


def _look(users: list[str]) -> tuple[Waiting, str]:
    try:
        return waiting_of(users), ""
    except StreamError as error:
        return Waiting(0, 0), str(error) or type(error).__name__


def _report(erased: Erased) -> str:
    if not (erased.rows or erased.letters):
        return "Nothing was counted by these users."
    return (
        f"{number(erased.rows)} rows with {number(erased.requests)} requests became a "
        f"part of {OTHER}; {number(erased.letters)} dead letters were emptied."
    )
