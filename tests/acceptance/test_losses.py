"""What cannot be counted is known to the unit: recorded = counted + waiting + lost."""

import contextlib
import resource
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.client import mixed, paced


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.jsonl"))


@pytest.mark.parametrize("which", [0, 5, -1], ids=["first", "middle", "last"])
def test_segment_deleted_by_hand(site, which):
    site.valkey.kill9()
    web = site.start_web(workers=1, ACCEPTANCE_SEGMENT_BYTES="4000")
    before = web.requests(260)
    (directory,) = site.journal_directories()
    doomed = segments(directory)[which]
    lost = doomed.read_bytes().count(b"\n")
    doomed.unlink()

    site.valkey.start()
    site.start_counting()
    site.wait_settled(260)
    site.assert_settled(260, lost)
    assert lost > 0

    after = web.requests(130)
    site.wait_settled(390)
    site.assert_settled(390, lost)
    assert site.total() == before.sent + after.sent - lost


def test_unwritable_journal(site):
    """Also for root, who may write anywhere: a file is where the folder should be."""
    site.journals.write_text("not a folder")
    web = site.start_web()
    outcome = web.requests(260)
    site.start_counting()

    site.wait_settled(260)
    site.assert_settled(260, lost=outcome.answered.total())
    assert site.total() == 0


class SizeLimit:
    """The web's processes may not make any file longer, as on a full disk."""

    def __init__(self, site):
        if not hasattr(resource, "prlimit"):
            pytest.skip("only Linux limits a running process")
        self._processes = []

    def fill(self, web):
        pids = [child.pid for child in web.process.children()]
        for pid in pids:
            self._limit(pid, 0)
        self._processes = pids

    def free(self):
        for pid in self._processes:
            self._limit(pid, resource.RLIM_INFINITY)

    def _limit(self, pid, size):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


class SmallDisk:
    """A file system of its own for the journals, and a file that fills it."""

    def __init__(self, site):
        site.journals.mkdir(mode=0o700)
        words = ["-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", site.journals]
        mounted = subprocess.run(["mount", *words], capture_output=True)
        if mounted.returncode:
            pytest.skip(f"mounting is not permitted: {mounted.stderr.decode()}")
        self._filler = site.journals / ".filler"

    def fill(self, web):
        with contextlib.suppress(OSError), self._filler.open("wb", 0) as file:
            while True:
                file.write(b"x" * 4096)

    def free(self):
        self._filler.unlink()


@pytest.fixture(params=[SizeLimit, SmallDisk])
def disk(request, site):
    yield request.param(site)
    if request.param is SmallDisk:
        subprocess.run(["umount", "--lazy", site.journals], check=True)


def test_disk_full_for_a_while(site, disk):
    web = site.start_web()
    outcome = web.requests(130)
    disk.fill(web)
    outcome += web.requests(650)
    disk.free()
    # A journal that could not write tries again after a second.
    outcome += web.load(2, paced(mixed(150), per_second=50)).join()

    site.start_counting()
    site.wait_settled(930)
    ledger = site.ledger()
    assert 0 < ledger.lost <= 800
    site.assert_settled(930, ledger.lost)
    assert site.total() == outcome.sent - ledger.lost
    web.requests(130)
    site.wait_settled(1_060)
    site.assert_settled(1_060, ledger.lost)
