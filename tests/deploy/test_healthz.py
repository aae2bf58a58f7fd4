"""The asker of /healthz: by port and by socket; all, or single parts."""

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "healthz.py"


class Answer(BaseHTTPRequestHandler):
    status, text = 200, "ok"

    def do_GET(self):
        right = (self.path, self.headers["Host"]) == ("/healthz", "shop.example.org")
        self.send_response(self.status if right else 400)
        self.end_headers()
        self.wfile.write(self.text.encode() + b"\n")

    def address_string(self):
        return "somebody"

    def log_message(self, *words):
        pass


class UnixServer(HTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(where: str, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, SCRIPT, where, *words], capture_output=True, text=True
    )
    return done.returncode, done.stdout.strip()


@pytest.mark.parametrize(
    ("status", "text", "parts", "code"),
    [
        (200, "ok", [], 0),
        (200, "ok", ["beat"], 0),
        (503, "not ok: worker, beat", [], 1),
        (503, "not ok: worker, beat", ["worker"], 1),
        (503, "not ok: worker, beat", ["beat"], 1),
        (503, "not ok: worker, beat", ["web"], 0),
        (500, "Server Error", ["web"], 1),
    ],
)
def test_what_is_said_decides(monkeypatch, status, text, parts, code):
    monkeypatch.setattr(Answer, "status", status)
    monkeypatch.setattr(Answer, "text", text)
    server = HTTPServer(("127.0.0.1", 0), Answer)
    with serving(server):
        where = f"127.0.0.1:{server.server_port}"
        assert ask(where, "shop.example.org", *parts) == (code, text)


def test_socket_is_asked_by_its_path(tmp_path):
    path = str(tmp_path / "s")
    with serving(UnixServer(path, Answer)):
        assert ask(path, "shop.example.org") == (0, "ok")
        assert ask(path, "other.example.org")[0] == 1


def test_no_answer_is_not_well(tmp_path):
    code, said = ask(str(tmp_path / "none"), "shop.example.org")
    assert code == 1
    assert said.startswith("no answer")
