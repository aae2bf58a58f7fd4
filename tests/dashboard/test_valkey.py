"""The embedded server: private, durable, and replaced when left over."""

import stat
import tempfile
from pathlib import Path

import pytest
import redis

from dashboard import valkey


@pytest.fixture
def server(tmp_path):
    server = valkey.EmbeddedValkey(tmp_path)
    server.start()
    yield server
    server.stop()


def test_listens_on_a_private_socket_only_and_never_evicts(server):
    with redis.Redis.from_url(server.url) as client:
        config = client.config_get("*")
    assert config["port"] == "0"
    assert config["appendonly"] == "yes"
    assert config["appendfsync"] == "everysec"
    assert config["save"] == ""
    assert config["maxmemory-policy"] == "noeviction"
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700


def test_data_survives_a_restart(tmp_path):
    for expected in (1, 2):
        server = valkey.EmbeddedValkey(tmp_path)
        server.start()
        try:
            with redis.Redis.from_url(server.url) as client:
                assert client.incr("starts") == expected
        finally:
            server.stop()


def test_leftover_of_a_killed_run_is_replaced(tmp_path, server):
    other = valkey.EmbeddedValkey(tmp_path)
    other.start()
    try:
        server.process.wait(10)
        assert other.process.poll() is None
    finally:
        other.stop()


def test_short_path_stays_in_var(tmp_path):
    assert valkey.socket_path(tmp_path / "var").parent == (tmp_path / "var").resolve()


def test_long_path_moves_to_a_private_temporary_folder(tmp_path):
    """Asserted on a running server: the folder is made when it starts."""
    server = valkey.EmbeddedValkey(tmp_path / ("long" * 30))
    folder = server.socket.parent
    try:
        server.start()
        assert folder.is_relative_to(tempfile.gettempdir())
        assert len(str(server.socket)) <= valkey.SOCKET_PATH_BYTES
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert valkey.ask(server.socket, b"PING").startswith(b"+PONG")
        assert valkey.socket_path(tmp_path / ("gnol" * 30)).parent != folder
    finally:
        server.stop()
        folder.rmdir()


def test_folder_that_others_can_enter_is_refused(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(valkey.ValkeyError, match="not a private folder"):
        valkey.private_folder(folder)


def test_link_in_place_of_the_folder_is_refused(tmp_path):
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(valkey.ValkeyError, match="not a private folder"):
        valkey.private_folder(link)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1", (7, 0)),
        ("Valkey server v=9.1.2 sha=00000000:0", (9, 1)),
        ("no server", (0,)),
    ],
)
def test_version_is_read_from_the_server(tmp_path, said, version):
    script = tmp_path / "server"
    script.write_text(f"#!/bin/sh\necho '{said}'\n")
    script.chmod(0o755)
    assert valkey.version_of(str(script)) == version


def test_old_server_on_the_path_is_passed_over(tmp_path, monkeypatch):
    script = tmp_path / "redis-server"
    script.write_text("#!/bin/sh\necho 'Redis server v=5.0.7'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert valkey.find_server() != Path(script)
