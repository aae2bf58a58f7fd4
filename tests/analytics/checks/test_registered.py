"""The commands run the checks, and Redis has a tag of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from analytics.checks import redis
from analytics.models import Writer

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.django_db
def test_checks_are_registered(site_stream):
    Writer.objects.create(site="test", time_zone="Asia/Tokyo")
    with pytest.raises(SystemCheckError, match=r"analytics\.E020"):
        call_command("check", databases=["default"])


def test_command_asks_redis_only_by_its_tag(tmp_path):
    environ = {
        "PATH": "/usr/bin:/bin",
        "DASHBOARD_VAR": str(tmp_path),
        "DASHBOARD_LOCAL": "1",
        "SECRET_KEY": "a long random key " * 4,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }

    def check(*words):
        command = [sys.executable, "manage.py", "check", *words]
        return subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
        )

    plain, tagged = check(), check("--tag", redis.TAG)
    assert plain.returncode == 0, plain.stderr
    assert tagged.returncode == 1
    assert "analytics.E010" in tagged.stderr
