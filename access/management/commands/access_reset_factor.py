"""``manage.py access_reset_factor``: for who lost the phone and the recovery codes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ... import audit
from ...factors import keeping
from ...models import SignIn


class Command(BaseCommand):
    """Takes the second factor of a user away, and writes it into the audit list."""

    help = (
        "Takes the second factor of a user away: the password alone signs in again, "
        "or leads to setting up a new one where a group requires it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The name that the user signs in with.")

    def handle(self, *, name: str, **options: Any) -> None:
        user = audit.user_named(name)
        if user is None:
            raise CommandError(f"There is no user {name}.")
        if not keeping.remove(user):
            raise CommandError(f"{name} has no second factor.")
        audit.record(SignIn.Kind.FACTOR_REMOVED, None, user, door="command")
        self.stdout.write(f"The second factor of {name} is taken away.")
