"""What a client has completely is recorded, though the process ends with that."""

import pytest

from analytics.recording.options import Options
from analytics.recording.wsgi import WsgiRecorder
from tests.analytics.recording.site import end, journal_lines


@pytest.fixture
def ask(tmp_path):
    """A function that asks a site for chunks, and gives the body as a server has it."""
    options = Options("shop", "key", f"unix://{tmp_path}/no.sock", tmp_path)
    asked = []

    def ask(*chunks: bytes, length: int | None = None):
        def app(environ, start_response):
            sized = [] if length is None else [("Content-Length", str(length))]
            start_response("200 OK", [("Content-Type", "text/html"), *sized])
            return iter(chunks)

        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
        asked.append(WsgiRecorder(app, options))
        return asked[-1](environ, lambda status, headers: None)

    yield ask
    for recorded in asked:
        end(recorded.recorder)


def test_with_the_last_byte_of_a_known_length(ask, tmp_path):
    body = ask(b"one", b"two", length=6)
    assert next(body) == b"one"
    assert len(journal_lines(tmp_path)) == 0
    assert next(body) == b"two"
    assert len(journal_lines(tmp_path)) == 1
    assert list(body) == []
    body.close()
    assert len(journal_lines(tmp_path)) == 1


def test_before_the_server_ends_a_body_of_unknown_length(ask, tmp_path):
    """That a chunked body is complete the client learns after the last chunk."""
    body = ask(b"one", b"two")
    assert [next(body), next(body)] == [b"one", b"two"]
    assert len(journal_lines(tmp_path)) == 0
    assert list(body) == []
    assert len(journal_lines(tmp_path)) == 1
