"""Accounts in a database of their own: what install.sh and backup.sh do about it.

The functions of the scripts run here, with a manage.py that says what it was asked.
"""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
USERS = "USERS_DATABASE_URL=mysql://shop:s%40cret@db.example.org:3307/users?ssl=1\n"
# Says what it was asked; a database is migrated once there is a file of its name.
MANAGE = """#!/bin/bash
echo "$* ${USERS_DATABASE_TIMEOUT:-}" >>"$SAID"
[ "$2" = migrate ] || exit 0
case "$*" in *--database=users*) name=users ;; *) name=default ;; esac
case "$*" in *--check*) [ -e "$DONE/$name" ] ;; *) touch "$DONE/$name" ;; esac
"""
# setpriv needs root: nobody becomes somebody else here.
WITHOUT_ROOT = 'setpriv() { shift 5; "$@"; }; exec() { "$@"; }'


@pytest.fixture
def ask(tmp_path):
    """Run words with the scripts' functions; what was asked of manage.py."""
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(MANAGE)
    python.chmod(0o755)
    said = tmp_path / "said"

    def run(settings: str, *words: str) -> tuple[str, list[str]]:
        said.write_text("")
        env_file = tmp_path / "env"
        env_file.write_text(f"{settings}SAID={said}\nDONE={tmp_path}\n")
        parts = [f'. "{ROOT}/deploy/{name}.sh"' for name in ("common", "release")]
        names = [f'ENV_FILE="{env_file}"', f'RELEASE="{tmp_path}"']
        script = "\n".join(["set -euo pipefail", *parts, *names, WITHOUT_ROOT, *words])
        done = subprocess.run(
            ["bash", "-c", script], check=True, capture_output=True, text=True
        )
        asked = [
            line.removeprefix("manage.py ") for line in said.read_text().split("\n")
        ]
        return done.stdout, [line.strip() for line in asked if line]

    return run


def test_one_database_is_migrated_once(ask):
    said, asked = ask("", "migrate_databases", "migrate_databases")
    assert said == "  + migrated the database default\n"
    assert asked == [
        "migrate --check --database=default",
        "migrate --database=default --no-input --verbosity 0 600",
        "migrate --check --database=default",
    ]


def test_accounts_are_migrated_too_and_with_more_patience(ask):
    said, asked = ask(
        USERS + "USERS_DATABASE_TIMEOUT=5\n", "migrate_databases", "migrate_databases"
    )
    assert said.splitlines() == [
        "  + migrated the database default",
        "  + migrated the database users",
    ]
    assert [line for line in asked if "users" in line] == [
        "migrate --check --database=users 5",
        "migrate --database=users --no-input --verbosity 0 600",
        "migrate --check --database=users 5",
    ]


@pytest.mark.parametrize(
    ("settings", "names"), [("", ["default"]), (USERS, ["default", "users"])]
)
def test_settings_are_checked_with_every_database(ask, settings, names):
    _, (asked,) = ask(settings, "check_settings")
    words = " ".join(f"--database={name}" for name in names)
    assert asked == f"check --deploy --fail-level WARNING {words}"


@pytest.mark.parametrize("pending", ["default", "users"])
def test_check_is_red_when_one_of_both_has_pending_migrations(ask, tmp_path, pending):
    for name in {"default", "users"} - {pending}:
        (tmp_path / name).touch()
    check = f'. "{ROOT}/deploy/check.sh"; own_redis() {{ false; }}; check_parts'
    said, _ = ask(USERS, check)
    (red,) = [line for line in said.splitlines() if line.startswith("FAILS")]
    assert red == f"FAILS database {pending}: all migrations are applied"


def warned(tmp_path: Path, settings: str) -> str:
    """What backup.sh said of a site whose tools do nothing."""
    (tmp_path / "env").write_text(
        f"DATABASE_URL=postgres://db.example.org/shop\nDASHBOARD_VAR={tmp_path}\n"
        + settings
    )
    tool = tmp_path / "pg_dump"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    env = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "DASHBOARD_ENV_FILE": str(tmp_path / "env"),
        "DASHBOARD_BACKUPS": str(tmp_path / "backups"),
    }
    done = subprocess.run(
        ["bash", ROOT / "deploy/backup.sh", "backup"],
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("backup: ")
    return done.stderr


@pytest.mark.parametrize(
    ("settings", "how"),
    [
        (USERS, "mysqldump --single-transaction --hex-blob -u USER -p -h HOST users "),
        (
            "USERS_DATABASE_URL=postgres://shop:secret@db.example.org/users\n",
            "pg_dump --format=custom postgres://shop@db.example.org/users ",
        ),
    ],
)
def test_backup_says_that_accounts_are_not_in_it_and_how_to_save_them(
    tmp_path, settings, how
):
    said = warned(tmp_path, settings)
    assert "neither saves nor restores" in " ".join(said.split())
    assert how in said
    assert "secret" not in said
    assert "s%40cret" not in said


def test_backup_says_nothing_where_accounts_are_in_it(tmp_path):
    assert warned(tmp_path, "#USERS_DATABASE_URL=mysql://db.example.org/users\n") == ""
