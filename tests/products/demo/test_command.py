"""The command in a process of its own: killed, and without tables."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_killed_by_a_signal_it_never_leaves_half_a_day(tmp_path):
    kept = {"PATH", "HOME", "LANG"}
    env = {name: value for name, value in os.environ.items() if name in kept}
    env |= {"DASHBOARD_VAR": str(tmp_path), "DASHBOARD_LOCAL": "1", "SECRET_KEY": "x"}
    command = [sys.executable, "manage.py"]
    many = [*command, "demo", "--days", "90", "--visits", "20"]
    subprocess.run([*command, "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    process = subprocess.Popen(many, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    database = sqlite3.connect(tmp_path / "db.sqlite3", timeout=20)
    line = "SELECT counted, closed FROM analytics_producer"
    total = "SELECT sum(requests) FROM analytics_rollup WHERE grain=2 AND dimension="
    try:
        while (database.execute(line).fetchone() or (0,))[0] < 500:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait(10)
    counted, closed = database.execute(line).fetchone()
    assert not closed
    assert database.execute(f"{total}'total'").fetchone() == (counted,)
    database.execute("UPDATE analytics_producer SET seen = '2026-01-01'")
    database.commit()
    some = [*command, "demo", "--days", "2", "--visits", "50"]
    said = subprocess.run(some, cwd=ROOT, env=env, capture_output=True, text=True)
    assert "removed first" in said.stdout
    counted, closed = database.execute(line).fetchone()
    assert closed
    assert database.execute(f"{total}'total'").fetchone() == (counted,)
    database.close()


def test_without_tables_it_says_what_to_do(tmp_path):
    env = {"DASHBOARD_VAR": str(tmp_path), "DASHBOARD_LOCAL": "1", "SECRET_KEY": "x"}
    said = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 1
    assert "make run" in said.stderr
    assert "Traceback" not in said.stderr
