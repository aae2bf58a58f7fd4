"""The processes of a tested site: each in a group of its own, with a log file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import psutil

from dashboard import valkey
from tests.acceptance.waiting import wait_until

LOG_TAIL = 3_000


class Process:
    """One program and all that it forks."""

    def __init__(self, words: list[str], log: Path, env: dict[str, str]) -> None:
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=env,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    def is_running(self) -> bool:
        return self._popen.poll() is None

    def children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children()
        except psutil.NoSuchProcess:
            return []

    def kill9(self) -> None:
        """SIGKILL for the process and everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def terminate(self, timeout: float = 20) -> None:
        """SIGTERM, as a service manager sends it, and wait for the end."""
        self._popen.terminate()
        self._popen.wait(timeout)

    def wait(self, timeout: float = 60) -> int:
        return self._popen.wait(timeout)

    def said(self) -> str:
        return self.log.read_text(errors="replace")


class Valkey:
    """A server on a Unix socket, with or without persistence."""

    def __init__(self, folder: Path, aof: bool = True) -> None:
        self.aof = aof
        self._folder = folder / "redis"
        self._folder.mkdir()
        self._socket = self._folder / "s"
        self._process: Process | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        words = valkey.command(valkey.find_server(), self._folder, self._socket)
        words += ["--appendonly", "yes" if self.aof else "no"]
        self._process = Process(words, self._folder / "log", dict(os.environ))
        wait_until(self.answers, "Valkey answers", state=self._process.said)

    def answers(self) -> bool:
        return valkey.ask(self._socket, b"PING").startswith(b"+PONG")

    def kill9(self) -> None:
        if self._process:
            self._process.kill9()

    def restart(self) -> None:
        self.kill9()
        self.start()

    def suspend(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def flush_all(self) -> None:
        assert valkey.ask(self._socket, b"FLUSHALL").startswith(b"+OK")
