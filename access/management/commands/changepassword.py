"""Django's own, which works in the database of accounts unless told otherwise."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.management.commands import changepassword
from django.core.management.base import CommandParser
from django.db import router


class Command(changepassword.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=router.db_for_write(get_user_model()))
