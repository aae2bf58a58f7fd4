"""FastAPI and Starlette under uvicorn, as the documentation has them."""

import re
from contextlib import contextmanager

from tests.analytics.recording.server import ROOT, Server
from tests.analytics.recording.site import LONG

DOCUMENTED = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "sites.md").read_text(), re.DOTALL
)
ENDLESS = """
import asyncio
from fastapi import Request
from starlette.responses import FileResponse, StreamingResponse

@site.get("/endless")
async def endless():
    async def chunks():
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)
    return StreamingResponse(chunks())

@site.get("/slow")
async def slow(request: Request):
    while not await request.is_disconnected():
        await asyncio.sleep(0.01)

@site.get("/file")
async def file():
    return FileResponse("file")

@site.get("/boom")
async def boom():
    raise ArithmeticError
"""


def example(word: str) -> str:
    (code,) = (code for code in DOCUMENTED if word in code)
    return code


@contextmanager
def serving(folder, code, *options):
    environ = {
        "ANALYTICS_SITE": "shop",
        "ANALYTICS_KEY": "key",
        "ANALYTICS_REDIS_URL": "unix://nowhere.sock",
        "ANALYTICS_JOURNAL_DIR": "journal",
        "ANALYTICS_RECORD_PATHS": "1",
    }
    command = ["uvicorn", "app:app", "--uds=s", *options]
    server = Server(folder, command, code, **environ)
    try:
        yield server
    finally:
        server.stop()


def test_the_documented_site_of_fastapi(tmp_path):
    with serving(tmp_path, example("FastAPI()")) as server:
        assert server.ask("/v1/items/7") == (200, b'{"item_id":7}')
        assert server.ask("/v1/items/x")[0] == 422
        assert server.ask("/v1/items/7", "POST")[0] == 405
        assert server.ask("/none")[0] == 404
        *items, none = server.wait_for_events(4)
    assert {(e.route, e.view) for e in items} == {("/v1/items/{item_id}", "read_item")}
    assert [(e.method, e.status) for e in items] == [
        ("GET", 200),
        ("GET", 422),
        ("POST", 405),
    ]
    assert (items[0].bytes, items[0].path) == (13, "/v1/items/7")
    assert (none.route, none.view, none.status) == ("", "", 404)


def test_the_documented_site_of_starlette(tmp_path):
    with serving(tmp_path, example("Starlette(")) as server:
        assert server.ask("/shop/products/7") == (200, b"<p>7")
        assert server.ask("/shop/products/7", "HEAD") == (200, b"")
        assert server.ask("/shop/products/x")[0] == 404
        one, head, none = server.wait_for_events(3)
    assert (one.route, one.view) == ("/shop/products/{number:int}", "product")
    assert (one.page, one.bytes) == (True, 4)
    assert (head.method, head.route, head.bytes) == ("HEAD", one.route, 0)
    assert (none.route, none.status) == ("", 404)


def test_below_a_root_path(tmp_path):
    with serving(tmp_path, example("Starlette("), "--root-path=/below") as server:
        assert server.ask("/shop/products/7")[0] == 200
        (event,) = server.wait_for_events(1)
    assert event.path == "/below/shop/products/7"
    assert event.route == "/shop/products/{number:int}"


def test_clients_that_leave_and_answers_that_end(tmp_path):
    (tmp_path / "file").write_bytes(LONG)
    with serving(tmp_path, example("FastAPI()") + ENDLESS) as server:
        server.leave("/endless", after=5_000)
        (stream,) = server.wait_for_events(1)
        server.leave("/slow")
        _, slow = server.wait_for_events(2)
        assert server.ask("/file") == (200, LONG)
        assert server.ask("/boom")[0] == 500
        _, _, file, boom = server.wait_for_events(4)
    assert (stream.status, stream.exception, stream.route) == (200, "", "/endless")
    assert stream.bytes >= 4_000
    assert (slow.status, slow.exception, slow.route) == (499, "", "/slow")
    assert (file.status, file.bytes) == (200, len(LONG))
    assert (boom.status, boom.exception) == (500, "ArithmeticError")
