"""What has to be there before anything runs: key, database, catalogue, static files.

Reads the environment; writes `var/` and the database. `python -m dashboard.preparation`
does it for commands that may be the first ones given, as `make demo` is. What stops it
says so in one sentence.
"""

import os
import secrets
import sys
from pathlib import Path

from dashboard import env

BASE_DIR = Path(__file__).resolve().parent.parent


class Refusal(Exception):
    """A reason not to start, in a sentence for the person at the keyboard."""


def main() -> int:
    try:
        enter()
        prepare()
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def enter() -> Path:
    """Point this process at the site on this machine; the folder of its state."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    os.environ.setdefault("DASHBOARD_LOCAL", "1")
    var = Path(env.text("DASHBOARD_VAR", str(BASE_DIR / "var")))
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("SECRET_KEY", "JWT_KEY"):
        keep_key(var, name)
    return var


def keep_key(var: Path, name: str) -> None:
    """Made once, so that sessions and visitor sketches survive a restart."""
    file = var / name.lower()
    if env.text(name) or file.exists():
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_urlsafe(48))


def prepare() -> None:
    """Database, catalogue and static files, as this version needs them."""
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.db import connections

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise Refusal(error) from None
    for alias in connections:
        check_database(alias)
        call_command("migrate", database=alias, interactive=False, verbosity=0)
    call_command("seed_products", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    # What is forked from here on must open connections of its own.
    connections.close_all()


def check_database(alias: str) -> None:
    from django.db import connections
    from django.db.utils import Error

    connection = connections[alias]
    variable = "USERS_DATABASE_URL" if alias == "users" else "DATABASE_URL"
    try:
        connection.ensure_connection()
    except (Error, OSError):
        config = connection.settings_dict
        where = config["HOST"] or config["NAME"]
        if config["PORT"]:
            where = f"{where}:{config['PORT']}"
        raise Refusal(
            f"The database at {where} cannot be reached; start it, correct "
            f"{variable}, or unset it to use SQLite."
        ) from None


if __name__ == "__main__":
    sys.exit(main())
