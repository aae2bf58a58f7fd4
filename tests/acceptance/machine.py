"""A bare Debian in a folder: made by debootstrap, entered by chroot, booted by nspawn.

Needs root, Debian's packages and PyPI. What this machine's pip needs to reach PyPI (a
certificate, an index) is handed to the one inside. Booted, it has a network of its own,
with nothing in it but itself; where nspawn cannot boot it, `CannotBoot` says why. It
lives in memory where there is enough of it. Leaves no process and no mount behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

from tests.acceptance.databases import ROOT
from tests.acceptance.waiting import wait_until

TOOLS = ("debootstrap", "unshare", "chroot", "nsenter", "systemd-nspawn", "rsync")
SUITE = "bookworm"
SOURCE = Path("/root/source")
CERTIFICATE = Path("/root/registries.pem")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# In namespaces of its own: what is mounted and started goes when the command does.
CHROOT = """
mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; mount -t tmpfs tmpfs "$1/run"
exec chroot "$@"
"""
# It lives for minutes: nothing of it has to survive a power cut, nobody reads manuals.
DPKG = """force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
"""
STATES = ("initializing", "starting", "running", "degraded", "maintenance")
# Bytes of memory.
NEEDS, LEAVES = 3 << 30, 4 << 30
LEFT_OUT = (".git", ".venv*", "node_modules", "var", "__pycache__", ".*_cache")


def missing() -> str:
    """Why there can be no such machine here; nothing if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux"
    absent = [tool for tool in TOOLS if not shutil.which(tool, path=PATH)]
    return f"not installed: {', '.join(absent)}" if absent else ""


class CannotBoot(Exception):
    """Not even its systemd came up: nspawn may not do that here."""


class Machine:
    """Its root is a folder; commands run in it by `run`, booted or not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = folder / "root"
        self._log = folder / "boot.log"
        self._nspawn: subprocess.Popen | None = None
        self.answered = False
        self._env = {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8"}
        self._mounted = False

    def make(self) -> None:
        if _free_memory() > NEEDS + LEAVES:
            options = f"size={NEEDS},mode=0700"
            _done(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._folder)])
            self._mounted = True
        words = ["debootstrap", "--variant=minbase", "--include=systemd-sysv"]
        _done([*words, SUITE, str(self.root)])
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        (self.root / "etc/dpkg/dpkg.cfg.d/quick").write_text(DPKG)
        # As in every container image: packages do not start what they bring.
        self._policy.write_text("#!/bin/sh\nexit 101\n")
        self._policy.chmod(0o755)
        self._hand_over_pip()
        self.copy_source()

    @property
    def _policy(self) -> Path:
        return self.root / "usr/sbin/policy-rc.d"

    def _hand_over_pip(self) -> None:
        said = _done([sys.executable, "-m", "pip", "config", "list"])
        settings = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        for key in ("index-url", "cert"):
            for name in (f":env:.{key}", f"install.{key}", f"global.{key}"):
                if value := settings.get(name, "").strip("'"):
                    variable = "PIP_" + key.replace("-", "_").upper()
                    self._env.setdefault(variable, value)
        if "PIP_CERT" in self._env:
            shutil.copy(self._env["PIP_CERT"], self.inside(CERTIFICATE))
            self._env["PIP_CERT"] = self._env["NODE_EXTRA_CA_CERTS"] = str(CERTIFICATE)

    def copy_source(self) -> None:
        """The checkout, as somebody would unpack it there."""
        left_out = [f"--exclude={name}" for name in LEFT_OUT]
        target = f"{self.inside(SOURCE)}/"
        _done(["rsync", "-a", "--delete", *left_out, f"{ROOT}/", target])

    def inside(self, path: Path | str) -> Path:
        """Where a path of the machine is on this one."""
        return self.root / str(path).lstrip("/")

    def run(self, *words: str, status: int | None = 0) -> str:
        """What a command said; it has to end with that status, unless it is None."""
        done = subprocess.run(
            [*self._entry(), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env=self._env,
        )
        assert status in (None, done.returncode), f"{words}\n{done.stdout}"
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen:
        """A command beside others."""
        return subprocess.Popen(
            [*self._entry(), *words], cwd="/", env=self._env, stdin=subprocess.DEVNULL
        )

    def python(self, script: str, *words: str) -> str:
        """A script of the tests, in the environment of the installed site."""
        target = "/root/script.py"
        shutil.copy(ROOT / "tests/acceptance" / script, self.inside(target))
        return self.run("/opt/dashboard/current/.venv/bin/python", target, *words)

    def _entry(self) -> list[str]:
        if self._nspawn:
            (leader,) = psutil.Process(self._nspawn.pid).children()
            words = ["nsenter", f"--target={leader.pid}", "--mount", "--uts", "--ipc"]
            words += ["--net", "--pid", "--root"]
        else:
            words = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
            words += ["sh", "-ec", CHROOT, "sh", str(self.root)]
        return [*words, "sh", "-c", 'cd / && exec "$@"', "sh"]

    def boot(self) -> None:
        """With its own systemd, and no network but itself."""
        self._policy.unlink()
        words = ["systemd-nspawn", "-D", str(self.root), "--boot", "--private-network"]
        words += ["--register=no", "--keep-unit", "--console=pipe", "--quiet"]
        with self._log.open("wb") as log:
            self._nspawn = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_until(self._is_up, "the machine is up", 90, state=self._log.read_text)
        except AssertionError as error:
            # Whatever came later is not what this machine forbids.
            if self.answered:
                raise
            raise CannotBoot(self._log.read_text().strip() or error) from error

    def _is_up(self) -> bool:
        assert self._nspawn.poll() is None, self._log.read_text()
        if len(psutil.Process(self._nspawn.pid).children()) != 1:
            return False
        said = self.run("systemctl", "is-system-running", status=None)
        self.answered |= said.strip() in STATES
        return said.strip() in ("running", "degraded")

    def stop(self) -> None:
        if self._nspawn is None:
            return
        running = self._nspawn.poll() is None
        leaders = psutil.Process(self._nspawn.pid).children() if running else []
        # Its first process takes all others with it.
        for leader in leaders:
            with contextlib.suppress(psutil.NoSuchProcess):
                leader.kill()
        self._nspawn.wait(60)
        self._nspawn = None

    def remove(self) -> None:
        self.stop()
        if self._mounted:
            _done(["umount", "--lazy", str(self._folder)])
        shutil.rmtree(self._folder)


def _free_memory() -> int:
    """Bytes that this machine, or the container around us, has for us."""
    free = psutil.virtual_memory().available
    limit = Path("/sys/fs/cgroup/memory.max")
    said = limit.read_text().strip() if limit.exists() else "max"
    return free if said == "max" else min(free, int(said))


def _done(words: list[str]) -> str:
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}"
    return done.stdout
