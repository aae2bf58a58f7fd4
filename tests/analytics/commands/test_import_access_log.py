"""``manage.py import_access_log``, as people use it."""

import datetime
import gzip
import io
import os
import stat
import sys

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from analytics.models import ImportedFile, Producer, Rollup, Site, Writer
from analytics.rollup.buckets import Grain
from tests.analytics.history.logs import (
    START,
    assert_adds_up,
    keys,
    line,
    requests,
    run,
    write,
)
from tests.analytics.test_bad_input import dump_of_tables

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_stream")]


@pytest.fixture(autouse=True)
def folder(site, tmp_path, monkeypatch):
    site.TIME_ZONE = "Europe/Berlin"
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def log(folder):
    return write(folder / "access.log", [line(n) for n in range(5)])


@pytest.fixture
def stdin(monkeypatch):
    """Puts something into the standard input."""

    def put(data: bytes) -> None:
        buffer = io.BufferedReader(io.BytesIO(data))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(buffer))

    return put


def test_says_what_it_did(log, capsys):
    write(log, [line(0), line(1440), "rubbish", line(request="", status=400)])
    run(log, "--until", "2027-01-01")
    said = capsys.readouterr().out
    for part in (
        "Lines before 2027-01-01 00:00:00 are counted: as told.",
        "4 lines read, 2 counted, 1 ignored, 1 unreadable",
        "2 days from 2026-03-02 to 2026-03-03",
        "lines/s",
        "access.log.unreadable.txt",
    ):
        assert part in said


@pytest.mark.usefixtures("transactional_db")
def test_only_what_is_older_than_the_first_live_event_is_counted(
    folder, new_web, drain, capsys
):
    new_web().record(3)
    web = new_web()
    web.record(2)
    web.ship()
    drain()
    now = timezone.now()
    hour = datetime.timedelta(hours=1)
    moments = [now - hour, now + datetime.timedelta(seconds=90), now + hour]
    log = write(folder / "access.log", [line(at) for at in moments])
    run(log)
    assert requests() == 3
    assert "1 counted, 2 too new" in capsys.readouterr().out
    run(log)
    assert requests() == 3


def test_until_is_a_time_of_the_site_unless_it_says_another(log):
    run(log, "--until", "2026-03-02T11:02")
    assert requests() == 2
    run(log, "--until", "2026-03-02T10:03:00Z")
    assert requests() == 3


def test_a_dry_run_shows_days_and_writes_nothing(log, folder, capsys):
    # 23:30 UTC is a day later at the site.
    night = START.replace(hour=23, minute=30)
    write(log, [line(0), line(night, status=500), line(night), "rubbish"])
    run(log, dry_run=True)
    said = capsys.readouterr().out
    rows = [row.split() for row in said.splitlines()[-3:]]
    assert rows == [
        ["day", "requests", "views", "errors", "bytes"],
        ["2026-03-02", "1", "1", "0", "512"],
        ["2026-03-03", "2", "1", "1", "1,024"],
    ]
    assert "4 lines read, 3 would be counted, 1 unreadable" in said
    for model in (Rollup, Producer, ImportedFile, Writer):
        assert not model.objects.exists()
    assert os.listdir(folder) == ["access.log"]


def test_unreadable_lines_are_kept_with_their_reason(log, folder):
    bad = ["rubbish", line().replace("Mar", "Foo"), "\xff\0binary", "x" * 3_000_000]
    write(log, [line(0), *bad, line(1)])
    run(log)
    rejects = folder / "access.log.unreadable.txt"
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    rows = [row.split(b"\t") for row in rejects.read_bytes().splitlines()]
    assert [(row[0], row[1]) for row in rows] == [
        (b"access.log:2", b"it has no known format"),
        (b"access.log:3", b"its date does not exist"),
        (b"access.log:4", b"it has no known format"),
        (b"access.log:5", b"it is longer than 65536 bytes"),
    ]
    assert rows[2][2] == b"\xff\0binary"
    assert len(rows[3][2]) == 1_000
    assert requests() == 2
    assert_adds_up()


def test_the_file_of_unreadable_lines_is_left_out(log, folder, capsys):
    write(log, [line(0), "rubbish"])
    run("access.log")
    run("access.log", "access.log.unreadable.txt")
    assert "unreadable.txt: left out" in capsys.readouterr().out
    assert requests() == 1


def test_nothing_in_a_name_moves_the_cursor(folder, capsys):
    run(write(folder / "a\x1b[2J\n.log", [line(0), "rub\x1b[2J"]))
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err


def test_unreadable_lines_may_go_elsewhere(log, folder):
    write(log, [line(0), "rubbish"])
    run(log, "--rejects", folder / "bad.txt")
    assert (folder / "bad.txt").exists()
    assert not (folder / "access.log.unreadable.txt").exists()


def test_nothing_is_counted_when_unreadable_lines_cannot_be_kept(log, capsys):
    write(log, [line(0), "rubbish"])
    with pytest.raises(CommandError):
        run(log, "--rejects", "/nowhere/bad.txt")
    assert "--rejects" in capsys.readouterr().err
    assert not Rollup.objects.exists()


def test_no_link_is_followed_to_keep_unreadable_lines(log, folder):
    (folder / "target").write_text("")
    (folder / "bad.txt").symlink_to(folder / "target")
    write(log, [line(0), "rubbish"])
    with pytest.raises(CommandError):
        run(log, "--rejects", folder / "bad.txt")
    assert (folder / "target").read_text() == ""


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_standard_input_has_a_name(stdin, pack):
    data = (line() + "\n").encode()
    stdin(pack(data))
    run("-", "--name", "www1.log")
    assert requests() == 1
    assert ImportedFile.objects.get().name == "www1.log"
    stdin(pack(data + data))
    run("-", "--name", "www1.log")
    assert requests() == 2
    assert_adds_up()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("-",), "needs a name"),
        (("a", "b", "--name", "c"), "goes with one FILE"),
        (("a", "--until", "yesterday"), "a time as"),
        (("a", "--until", "2026-02-31"), "a time as"),
        (("a", "--ignore", "static"), "the beginning of a path"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, why):
    with pytest.raises(CommandError, match=why):
        run(*arguments)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (bytes(range(256)) * 100, "none of its first lines"),
        (b"\0" * 5_000_000, "none of its first lines"),
        (b"dear diary\n" * 10, "none of its first lines"),
        (b"\x1f\x8brubbish", "gzip"),
    ],
)
def test_what_is_no_log_is_said_to_be_none_and_the_others_are_read(
    log, folder, data, why, capsys
):
    (folder / "bad").write_bytes(data)
    with pytest.raises(CommandError, match="Not read, or not to the end: bad"):
        run("bad", log)
    said = capsys.readouterr().err
    assert why in said
    assert len(said.splitlines()) == 1
    assert requests() == 5
    assert_adds_up()


@pytest.mark.parametrize("name", ["none.log", "."])
def test_what_cannot_be_opened_is_said_to_be_so(name, capsys):
    with pytest.raises(CommandError):
        run(name)
    assert capsys.readouterr().err.startswith(f"{name}: ")


def test_an_empty_file_is_nothing(folder, capsys):
    run(write(folder / "empty.log", []))
    assert "0 lines read, 0 counted" in capsys.readouterr().out
    assert not Producer.objects.exists()


def test_half_a_packed_file_is_counted_as_far_as_it_goes(folder, log, capsys):
    lines = [line(n % 1_000, address=f"192.0.2.{n % 250}") for n in range(50_000)]
    whole = write(folder / "whole.gz", lines)
    data = whole.read_bytes()
    (folder / "half.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(CommandError, match=r"half\.gz"):
        run("half.gz")
    assert "end early" in capsys.readouterr().err
    assert 0 < requests() < 50_000
    run("whole.gz")
    assert requests() == 50_000
    assert_adds_up()


def test_a_first_line_of_megabytes_hides_no_log(log):
    write(log, ["x" * 1_500_000, line(0), line(1)], end="\r\n")
    run(log)
    assert requests() == 2


def test_a_format_may_be_told(folder):
    log = write(folder / "a.log", [line(tail=" 0.1"), line()])
    run(log, format="combined")
    assert requests() == 1
    with pytest.raises(CommandError):
        run(log, "--format", "nonsense")


def test_own_hosts_and_paths_may_be_told(log, site):
    site.ALLOWED_HOSTS = ["www.example.org"]
    referrers = ("www.example.org", "shop.example.org", "example.net")
    lines = [line(referrer=f"https://{host}/") for host in referrers]
    write(log, [*lines, line(request="GET /static/a.css HTTP/1.1")])
    run(log, "--host", "shop.example.org", "--ignore", "/static/")
    assert requests() == 3
    assert keys("referrer") == {"example.net": 1}


@pytest.mark.parametrize("hosts", [[], ["*"]])
def test_a_site_without_a_name_is_told_so(log, site, capsys, hosts):
    site.ALLOWED_HOSTS = hosts
    run(log)
    assert "with --host" in capsys.readouterr().err
    run(log, "--host", "www.example.org")
    assert capsys.readouterr().err == ""


def test_a_site_that_records_nothing_yet_counts_all_lines(log, capsys):
    run(log)
    assert "All lines are counted" in capsys.readouterr().out


def test_without_the_file_of_countries_nothing_is_counted(log, site, capsys):
    site.ANALYTICS_COUNTRY_DATABASE = "/nowhere/country.mmdb"
    with pytest.raises(CommandError):
        run(log)
    assert "ANALYTICS_COUNTRY_DATABASE" in capsys.readouterr().err
    assert not ImportedFile.objects.exists()


def test_secrets_of_a_log_reach_no_table(log):
    secrets = {
        "user": "canary",
        "address": "192.0.2.77",
        "agent": "canary/1.0",
        "referrer": "https://u:canary@news.example.com/canary?q=canary#canary",
    }
    asked = "GET /products/?token=canary&utm_source=news&email=canary@example.org"
    write(
        log,
        [
            line(0, request=f"{asked} HTTP/1.1", **secrets),
            line(1, request="GET /canary/?canary HTTP/1.1", status=404, **secrets),
            line(2).replace("200", "canary"),
        ],
    )
    run(log)
    tables = dump_of_tables()
    assert requests() == 2
    assert "news.example.com" in tables
    for secret in ("canary", "192.0.2.77"):
        assert secret not in tables


def test_progress_is_shown_where_somebody_watches(log, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    from analytics.management.commands import import_access_log

    monkeypatch.setattr(import_access_log, "BAR_SECONDS", 0)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    run(log)
    assert "100%  5 lines" in terminal.getvalue()


def test_a_log_of_another_site_is_counted_there_alone(log, folder):
    """Once for each site; its patterns are not known, so it has no routes."""
    Site.objects.create(name="other")
    run(log, "--site", "other", "--until", "2027-01-01")
    run(log, "--site", "other", "--until", "2027-01-01")
    assert requests() == 0
    rows = Rollup.objects.of("other", "total", Grain.DAY)
    assert sum(row.requests for row in rows) == 5
    found = Rollup.objects.filter(site="other", dimension__in=("product", "route"))
    assert not {row.key for row in found if row.key.startswith("/")}
    assert ImportedFile.objects.get().site == "other"
    assert Producer.objects.get(site="other").counted == 5
    run(log, "--until", "2027-01-01")
    assert requests() == 5


def test_a_log_of_a_site_that_is_none(log):
    with pytest.raises(CommandError, match="no site"):
        run(log, "--site", "nowhere", "--until", "2027-01-01")
    assert not Rollup.objects.exists()
