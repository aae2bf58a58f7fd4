"""The journal's folder: writable, private, on a disk of its own that stays."""

from pathlib import Path

import pytest

from analytics.checks import journal
from tests.analytics.checks.ids import ids


def test_journal_folder_that_can_be_made(site, tmp_path):
    assert journal.check_journal() == []
    assert not (tmp_path / "journal").exists(), "a check makes nothing"


def test_journal_folder_below_a_file(site, tmp_path):
    (tmp_path / "file").touch()
    site.ANALYTICS_JOURNAL_DIR = str(tmp_path / "file" / "journal")
    assert ids(journal.check_journal()) == ["E002"]


def test_journal_folder_that_cannot_be_written(site, monkeypatch):
    # For root, who may run this, no folder is.
    monkeypatch.setattr(journal.os, "access", lambda path, mode: False)
    assert ids(journal.check_journal()) == ["E002"]


@pytest.mark.parametrize(("mode", "found"), [(0o700, []), (0o755, ["W003"])])
def test_journal_folder_that_others_may_read(site, tmp_path, mode, found):
    (tmp_path / "journal").mkdir(mode=mode)
    assert ids(journal.check_journal()) == found


def mounted(monkeypatch, tmp_path, kind):
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"2 1 0:5 / {tmp_path} rw,relatime - {kind} server.example.org:/x rw\n"
        "3 1 0:6 / /elsewhere/with\\040space rw - tmpfs tmpfs rw\n"
    )
    monkeypatch.setattr(journal, "MOUNTS", table)


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
    assert ids(journal.check_journal()) == plain
    assert ids(journal.check_journal_lasts()) == deploy


def test_file_system_is_that_of_the_nearest_mount(tmp_path, monkeypatch):
    mounted(monkeypatch, tmp_path, "nfs")
    assert journal._file_system(tmp_path / "a") == "nfs"
    assert journal._file_system(tmp_path.parent) == "ext4"
    assert journal._file_system(Path(f"{tmp_path}-beside")) == "ext4"
    assert journal._file_system(Path("/elsewhere/with space/a")) == "tmpfs"


def test_without_a_table_of_mounts_nothing_is_said(site, tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "MOUNTS", tmp_path / "none")
    assert journal.check_journal() == journal.check_journal_lasts() == []
