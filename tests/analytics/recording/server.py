"""A real web server with a site of a test, on a Unix socket; and what it recorded."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

from analytics.recording.event import RequestEvent, decode
from tests.analytics.recording.site import journal_lines

ROOT = Path(__file__).resolve().parents[3]


class Connection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("testserver", timeout=20)
        self.path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Server:
    """A server process in a folder of its own, which has the application ``app.py``."""

    def __init__(
        self, folder: Path, command: list[str], code: str, **environ: str
    ) -> None:
        self.folder = folder
        (folder / "app.py").write_text(code)
        path = os.pathsep.join((str(folder), str(ROOT)))
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**os.environ, **environ, "PYTHONPATH": path},
                stdout=log,
                stderr=log,
            )
        wait_for(self.is_up)

    def is_up(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.folder / "s")) == 0

    def ask(self, path: str, method: str = "GET") -> tuple[int, bytes]:
        connection = Connection(self.folder / "s")
        connection.request(method, path)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def leave(self, path: str, after: int = 0) -> None:
        """Ask, read `after` bytes of the answer, and go."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(self.folder / "s"))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: testserver\r\n\r\n".encode())
            while after > 0:
                after -= len(client.recv(after))

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def events(self) -> list[RequestEvent]:
        return [decode(line) for line in journal_lines(self.journal)]

    def wait_for_events(self, count: int) -> list[RequestEvent]:
        wait_for(lambda: len(self.events()) >= count)
        events = self.events()
        assert len(events) == count
        return events

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)


def wait_for(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
