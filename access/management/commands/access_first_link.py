"""``manage.py access_first_link``: a link by which the first administrator comes in.

Makes a superuser who has no password, and prints the address at which to choose one:
good once, and for `PASSWORD_RESET_TIMEOUT`. Writes the audit list. Never helps past a
superuser who can sign in already.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.core.management.base import BaseCommand, CommandError
from django.db import router, transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from ... import audit
from ...models import SignIn


class Command(BaseCommand):
    """A link that is not used can be asked for again; the one before then ends."""

    help = (
        "Prints a link, good once and for a short time, at which the first "
        "administrator chooses a password."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", default="admin")
        parser.add_argument("--email", default="", help="For forgotten passwords.")
        parser.add_argument(
            "--host", default="", help="Default: the first of ALLOWED_HOSTS."
        )
        parser.add_argument(
            "--if-none",
            action="store_true",
            help="Say nothing, and do nothing, if there is a superuser of any kind.",
        )

    def handle(self, *, username: str, email: str, **options: Any) -> None:
        superusers = get_user_model()._default_manager.filter(is_superuser=True)
        if options["if_none"] and superusers.exists():
            return
        if any(map(_can_sign_in, superusers)):
            raise CommandError(
                "There is a superuser who can sign in. For a forgotten password use "
                "the link on the login page, or changepassword."
            )
        host = options["host"] or _first_host()
        with transaction.atomic(using=router.db_for_write(get_user_model())):
            user = _newcomer(username, email)
            audit.record(SignIn.Kind.RESET_ASKED, None, user, door="shell")
        self.stdout.write(
            f"The first administrator, {user.get_username()}, chooses a password here, "
            f"once, within {settings.PASSWORD_RESET_TIMEOUT // 60} minutes:\n"
            + _link(user, host)
        )


def _can_sign_in(user: Any) -> bool:
    return user.is_active and user.has_usable_password()


def _first_host() -> str:
    names = [name for name in settings.ALLOWED_HOSTS if name.strip("*.") == name]
    if not names:
        raise CommandError("ALLOWED_HOSTS names no host: say --host NAME.")
    return names[0]


def _newcomer(username: str, email: str) -> Any:
    """The superuser of that name; whatever links there were for it end."""
    users = get_user_model()
    manager = users._default_manager
    user = manager.filter(**{users.USERNAME_FIELD: username}).first()
    if user is None:
        return manager.create_superuser(username, email, None)
    if not user.is_superuser:
        raise CommandError(f"{username} is somebody else: say --username NAME.")
    # Each unusable password is another one, and part of what a link is made of.
    user.set_unusable_password()
    user.is_active = user.is_staff = True
    user.email = email or user.email
    user.save()
    return user


def _link(user: Any, host: str) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    scheme = "https" if settings.SECURE_SSL_REDIRECT else "http"
    return f"{scheme}://{host}" + reverse("password_reset_confirm", args=(uid, token))
