"""Benchmarks that reach into what they measure still run, and lose nothing.

How fast anything is they say themselves: `make bench`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import TESTS_OWN

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["api", "drain", "overview"])
def test_it_runs_and_all_that_was_sent_is_there(name):
    command = [sys.executable, "-m", f"bench.{name}", "--quick", "--json"]
    environ = {k: v for k, v in os.environ.items() if k not in TESTS_OWN}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines
    assert not [line for line in lines if "≠" in line["verified"]]
