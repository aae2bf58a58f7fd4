"""Fixtures: a real Valkey, empty for each test, web processes, and members of staff."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User

from analytics.conf import get_config, get_stream
from analytics.recording.event import encode
from analytics.recording.journal import Journal
from analytics.recording.shipper import Shipment
from analytics.rollup.drain import Drain
from analytics.stream import Stream, connect
from dashboard import valkey
from tests.analytics.recording.events import event


class Server:
    """A Valkey process and its address."""

    def __init__(self, process: subprocess.Popen, socket: Path) -> None:
        self.process = process
        self.url = f"unix://{socket}"

    def hang(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def stop(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def running_valkey(*options: str) -> Iterator[Server]:
    """A server of our own; later options override earlier ones."""
    folder = Path(tempfile.mkdtemp(prefix="valkey-"))
    socket = folder / "s"
    process = subprocess.Popen(
        [*valkey.command(valkey.find_server(), folder, socket), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not valkey.ask(socket, b"PING").startswith(b"+PONG"):
        assert process.poll() is None, "Valkey did not start"
    server = Server(process, socket)
    yield server
    if process.poll() is None:
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey_url():
    """The address of a server that lasts for the run."""
    with running_valkey() as server:
        yield server.url


@pytest.fixture
def own_valkey():
    """A server that the test may stop or let hang."""
    with running_valkey() as server:
        yield server


@pytest.fixture
def stream(valkey_url):
    """The stream of a site of the test's own, on an empty server."""
    with connect(valkey_url) as client:
        client.flushall()
    stream = Stream(valkey_url, "test", b"key")
    yield stream
    stream.close()


@pytest.fixture
def site(settings, tmp_path):
    """Settings of a site of the test's own; nobody listens at its Redis' address."""
    settings.ANALYTICS_SITE = "test"
    settings.ANALYTICS_JOURNAL_DIR = str(tmp_path / "journal")
    return settings


@pytest.fixture
def site_stream(site, valkey_url):
    """The stream that the app itself uses, on an empty server."""
    site.ANALYTICS_REDIS_URL = valkey_url
    stream = get_stream()
    stream.client.flushall()
    yield stream
    stream.close()


class Web:
    """A web process, as far as counting goes: its journal and its shipper."""

    def __init__(self, stream: Stream, root: Path) -> None:
        self.journal = Journal(root)
        self.producer = self.journal.producer
        self.shipment = Shipment(self.journal, stream, 10**6)

    def record(self, count: int, route: str = "/", age: float = 0.0) -> None:
        for _ in range(count):
            at = int((time.time() - age) * 1000)
            self.journal.append(encode(event(time=at, route=route)) + b"\n")

    def ship(self) -> None:
        while self.shipment.step():
            pass

    def end(self) -> None:
        self.journal.close()


@pytest.fixture
def new_web(site_stream):
    """Starts web processes; they end with the test."""
    started = []

    def start() -> Web:
        started.append(Web(site_stream, get_config().recorder.journal_dir))
        return started[-1]

    yield start
    for web in started:
        web.end()


@pytest.fixture
def drain(site_stream):
    """Runs a real drain."""
    return Drain(site_stream).run


@pytest.fixture
def member(client):
    """Signs in a member of the staff who has just these permissions."""

    def sign_in(*codenames):
        user = User.objects.create_user("member", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in
