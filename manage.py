#!/usr/bin/env python3
"""Django's command line for this project.

`test` runs under the tests' own settings; `test` and `makemigrations` keep nothing that
a key protects, so on a fresh clone they get a random one.
"""

import os
import secrets
import sys

KEYLESS = {"test", "makemigrations", "help", "version"}


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    module = "tests.settings" if command == "test" else "dashboard.settings"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", module)
    if command in KEYLESS:
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    if command == "makemigrations":
        # It only compares with the database's history, which a fresh clone lacks.
        os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed here; `make run` or `make test` sets all up.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
