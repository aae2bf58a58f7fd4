"""The system checks: each is silent on a good site, and speaks of its one fault."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django_celery_beat.models import PeriodicTask

from analytics import checks
from analytics.conf import get_stream
from analytics.models import Writer
from analytics.recording.middleware import AnalyticsMiddleware
from tests.analytics.conftest import running_valkey

ROOT = Path(__file__).resolve().parents[2]
DATABASES = ["default"]
LONG = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF"
OTHER = "django.middleware.common.CommonMiddleware"


class Recording(AnalyticsMiddleware):
    """A project's own version of the middleware."""


@pytest.fixture(autouse=True)
def _command_line(monkeypatch):
    """The checks look at it; the suite itself may run as ``manage.py test``."""
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])


def ids(messages):
    return [message.id.removeprefix("analytics.") for message in messages]


# Settings and middleware.


def test_good_settings(site):
    assert checks.check_settings() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANALYTICS_SITE", "a b"),
        ("ANALYTICS_PROXIES", "two"),
        ("ANALYTICS_IGNORE", "/static/"),
        ("ANALYTICS_VISITOR_PERIOD", "week"),
    ],
)
def test_unusable_setting_is_named(site, name, value):
    setattr(site, name, value)
    (message,) = checks.check_settings()
    assert ids([message]) == ["E003"]
    assert name in message.msg
    for check in (checks.check_journal, checks.check_redis_url):
        assert check() == []


def test_times_without_a_zone(site):
    site.USE_TZ = False
    assert ids(checks.check_settings()) == ["E006"]


def test_unusable_dimension_is_named(site, monkeypatch):
    def fail():
        raise checks.ImproperlyConfigured("Dimension 'x' is declared twice.")

    monkeypatch.setattr(checks, "get_dimensions", fail)
    assert ids(checks.check_settings()) == ["E004"]


@pytest.mark.parametrize("ours", [checks.MIDDLEWARE, f"{__name__}.Recording"])
def test_middleware_is_first(settings, ours):
    settings.MIDDLEWARE = [ours, OTHER]
    assert checks.check_middleware() == []


def test_middleware_is_missing(settings):
    settings.MIDDLEWARE = [OTHER, "not.there.Middleware"]
    assert ids(checks.check_middleware()) == ["E001"]


def test_middleware_is_not_outermost(settings):
    settings.MIDDLEWARE = [OTHER, checks.MIDDLEWARE]
    assert ids(checks.check_middleware()) == ["W001"]


@pytest.mark.parametrize(
    ("before", "found"), [([], ["E005"]), ([OTHER], ["E005", "W001"])]
)
def test_middleware_is_listed_twice(settings, before, found):
    settings.MIDDLEWARE = [*before, checks.MIDDLEWARE, f"{__name__}.Recording"]
    messages = checks.check_middleware()
    assert ids(messages) == found
    assert "2 times" in messages[0].msg
    assert "Recording" in messages[0].hint


# The journal's folder.


def test_journal_folder_that_can_be_made(site, tmp_path):
    assert checks.check_journal() == []
    assert not (tmp_path / "journal").exists(), "a check makes nothing"


def test_journal_folder_below_a_file(site, tmp_path):
    (tmp_path / "file").touch()
    site.ANALYTICS_JOURNAL_DIR = str(tmp_path / "file" / "journal")
    assert ids(checks.check_journal()) == ["E002"]


def test_journal_folder_that_cannot_be_written(site, monkeypatch):
    # For root, who may run this, no folder is.
    monkeypatch.setattr(checks.os, "access", lambda path, mode: False)
    assert ids(checks.check_journal()) == ["E002"]


@pytest.mark.parametrize(("mode", "found"), [(0o700, []), (0o755, ["W003"])])
def test_journal_folder_that_others_may_read(site, tmp_path, mode, found):
    (tmp_path / "journal").mkdir(mode=mode)
    assert ids(checks.check_journal()) == found


def mounted(monkeypatch, tmp_path, kind):
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"2 1 0:5 / {tmp_path} rw,relatime - {kind} server.example.org:/x rw\n"
        "3 1 0:6 / /elsewhere/with\\040space rw - tmpfs tmpfs rw\n"
    )
    monkeypatch.setattr(checks, "MOUNTS", table)


@pytest.mark.parametrize(
    ("kind", "plain", "deploy"),
    [
        ("ext4", [], []),
        ("nfs4", ["W002"], []),
        ("fuse.sshfs", ["W002"], []),
        ("overlay", [], ["I002"]),
    ],
)
def test_file_system_of_the_journal(site, tmp_path, monkeypatch, kind, plain, deploy):
    mounted(monkeypatch, tmp_path, kind)
    assert ids(checks.check_journal()) == plain
    assert ids(checks.check_journal_lasts()) == deploy


def test_file_system_is_that_of_the_nearest_mount(tmp_path, monkeypatch):
    mounted(monkeypatch, tmp_path, "nfs")
    assert checks._file_system(tmp_path / "a") == "nfs"
    assert checks._file_system(tmp_path.parent) == "ext4"
    assert checks._file_system(Path(f"{tmp_path}-beside")) == "ext4"
    assert checks._file_system(Path("/elsewhere/with space/a")) == "tmpfs"


def test_without_a_table_of_mounts_nothing_is_said(site, tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "MOUNTS", tmp_path / "none")
    assert checks.check_journal() == checks.check_journal_lasts() == []


# Production.


def test_good_keys(site):
    site.SECRET_KEY = site.ANALYTICS_KEY = LONG
    site.SECRET_KEY_FALLBACKS = ["old"]
    assert checks.check_key() == []


def test_key_that_changes_with_the_secret_key(site):
    site.SECRET_KEY, site.SECRET_KEY_FALLBACKS = LONG, ["old"]
    assert ids(checks.check_key()) == ["W030"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "ANALYTICS_KEY"])
def test_short_key(site, name):
    setattr(site, name, "short")
    (message,) = checks.check_key()
    assert ids([message]) == ["W031"]
    assert name in message.msg


@pytest.mark.parametrize(
    ("behind", "proxies", "found"),
    [(False, 0, []), (True, 1, []), (True, 0, ["W032"])],
)
def test_proxies_that_nobody_counted(site, behind, proxies, found):
    header = ("HTTP_X_FORWARDED_PROTO", "https")
    site.SECURE_PROXY_SSL_HEADER = header if behind else None
    site.ANALYTICS_PROXIES = proxies
    assert ids(checks.check_proxies()) == found


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://127.0.0.1:6379/0", ""),
        ("redis://[::1]:6379/0", ""),
        ("unix:///run/redis.sock", ""),
        ("rediss://:pw@redis.example.org:6379/0", ""),
        ("rediss://redis.example.org/0?password=pw", ""),
        ("rediss://redis.example.org/0", "network without a password."),
        ("redis://:pw@redis.example.org/0", "network unencrypted."),
        ("redis://redis.example.org/0", "without a password and unencrypted."),
    ],
)
def test_redis_over_the_network(site, url, said):
    site.ANALYTICS_REDIS_URL = url
    messages = checks.check_redis_url()
    assert ids(messages) == (["W033"] if said else [])
    assert all(message.msg.endswith(said) for message in messages)
    assert "pw" not in str(messages)


# The database.


@pytest.mark.django_db
def test_good_tables(site):
    Writer.objects.create(site="test", time_zone="UTC")
    assert checks.check_tables(databases=DATABASES) == []


@pytest.mark.django_db
def test_changed_time_zone(site):
    Writer.objects.create(site="test", time_zone="Europe/Berlin")
    Writer.objects.create(site="other", time_zone="UTC")
    (message,) = checks.check_tables(databases=DATABASES)
    assert ids([message]) == ["E020"]
    assert "'Europe/Berlin'" in message.hint


@pytest.mark.django_db
def test_missing_and_disabled_schedule_entries(site):
    PeriodicTask.objects.filter(task="analytics.tasks.drain").delete()
    PeriodicTask.objects.filter(task="analytics.tasks.prune").update(enabled=False)
    assert ids(checks.check_tables(databases=DATABASES)) == ["W020", "W020"]


@pytest.mark.django_db
def test_database_that_is_not_migrated(site):
    def no_tables(execute, sql, params, many, context):
        raise checks.DatabaseError("no such table")

    with connection.execute_wrapper(no_tables):
        assert checks.check_tables(databases=DATABASES) == []


@pytest.mark.django_db
def test_plain_check_asks_no_database(site, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert checks.check_tables(databases=None) == []


# Redis.


def test_good_redis(site_stream, new_web):
    web = new_web()
    web.record(2)
    web.ship()
    assert checks.check_redis(databases=DATABASES) == []


def test_unreachable_redis(site):
    (message,) = checks.check_redis(databases=DATABASES)
    assert ids([message]) == ["E010"]
    assert "wait in the journal" in message.hint


def test_unusable_redis_address(site):
    site.ANALYTICS_REDIS_URL = "what://is.example.org"
    assert ids(checks.check_redis(databases=DATABASES)) == ["E010"]


def test_redis_that_evicts_and_forgets(site):
    options = ("--maxmemory-policy", "allkeys-lru", "--appendonly", "no")
    with running_valkey(*options) as server:
        site.ANALYTICS_REDIS_URL = server.url
        assert ids(checks.check_redis(databases=DATABASES)) == ["E011", "W010"]


@pytest.mark.parametrize(
    ("version", "found"),
    [("6.0.16", ["W011"]), ("5", ["W011"]), ("6.2.0", []), ("10.1.0", []), ("8", [])],
)
def test_old_redis(version, found):
    info = {"redis_version": version, "aof_enabled": 1}
    assert ids(checks._server(info)) == found


def test_site_with_the_same_name_and_another_key(site, site_stream, new_web):
    web = new_web()
    web.record(1)
    web.ship()
    site.ANALYTICS_KEY = "another key"
    (message,) = checks.check_redis(databases=DATABASES)
    assert ids([message]) == ["E012"]
    assert "seal does not fit" in message.msg


def test_entry_of_another_site(site, site_stream):
    fields = {"v": "1", "site": "other", "producer": "p", "events": ""}
    site_stream.client.xadd(get_stream().events, fields)
    (message,) = checks.check_redis(databases=DATABASES)
    assert "entry of another site" in message.msg


@pytest.mark.parametrize(
    ("words", "databases", "asked"),
    [
        (["manage.py", "check"], None, False),
        (["manage.py", "check", "--database", "default"], DATABASES, True),
        (["manage.py", "check", "--tag", "analytics_redis"], None, True),
        (["manage.py", "migrate"], DATABASES, False),
        (["manage.py", "test"], DATABASES, False),
    ],
)
def test_redis_is_only_asked_on_request(site, monkeypatch, words, databases, asked):
    monkeypatch.setattr(sys, "argv", words)
    assert bool(checks.check_redis(databases=databases)) is asked


# All together.


@pytest.mark.django_db
def test_checks_are_registered(site_stream):
    Writer.objects.create(site="test", time_zone="Asia/Tokyo")
    with pytest.raises(SystemCheckError, match=r"analytics\.E020"):
        call_command("check", databases=DATABASES)


def test_command_asks_redis_only_by_its_tag(tmp_path):
    environ = {
        "PATH": "/usr/bin:/bin",
        "DASHBOARD_VAR": str(tmp_path),
        "DASHBOARD_LOCAL": "1",
        "SECRET_KEY": LONG * 2,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }

    def check(*words):
        command = [sys.executable, "manage.py", "check", *words]
        return subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
        )

    plain, tagged = check(), check("--tag", checks.REDIS_TAG)
    assert plain.returncode == 0, plain.stderr
    assert tagged.returncode == 1
    assert "analytics.E010" in tagged.stderr
