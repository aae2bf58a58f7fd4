"""Answers of FastAPI and Starlette: each is one event, whatever becomes of it."""

import asyncio
from contextlib import nullcontext

import pytest
from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, WebSocket
from fastapi.responses import FileResponse, HTMLResponse, StreamingResponse
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request

from analytics.recording.asgi import AsgiRecorder
from tests.analytics.recording.asgi_site import HEADERS, run, serving
from tests.analytics.recording.site import LONG

router = APIRouter()


class Unhappy(Exception):
    """What nobody handles."""


class Handled(Exception):
    """What a handler makes a 503 of."""


@router.get("/page", response_class=HTMLResponse)
async def page():
    return "<p>hello"


@router.get("/boom")
async def boom():
    raise Unhappy


@router.get("/threaded/boom")
def threaded_boom():
    raise Unhappy


@router.get("/status/{code}")
async def status(code: int):
    raise HTTPException(code, "as you wish")


@router.get("/handled")
async def handled():
    raise Handled


@router.get("/stream")
async def stream():
    return StreamingResponse(iter(["one", "two", "three"]))


@router.get("/stream/broken")
async def broken_stream():
    def chunks():
        yield "one"
        raise Unhappy

    return StreamingResponse(chunks())


@router.get("/long", response_class=HTMLResponse)
async def long():
    return LONG.decode()


@router.get("/file")
async def file(path: str):
    return FileResponse(path)


@router.get("/endless")
async def endless():
    async def chunks():
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)

    return StreamingResponse(chunks())


@router.post("/upload")
async def upload(request: Request):
    return len(await request.body())


@router.get("/task")
async def task(tasks: BackgroundTasks, request: Request):
    tasks.add_task(request.scope["look"])
    return "hello"


async def say_503(request, error):
    return HTMLResponse("later", 503)


def fastapi() -> FastAPI:
    app = FastAPI(exception_handlers={Handled: say_503})
    app.include_router(router, prefix="/v1")
    return app


def with_middleware() -> FastAPI:
    """With what runs the rest in a task of its own."""

    async def pass_on(request, call_next):
        return await call_next(request)

    app = fastapi()
    app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)
    return app


APPS = pytest.mark.parametrize("make", [fastapi, with_middleware])


@pytest.fixture
def serve(tmp_path):
    with serving(tmp_path) as make:
        yield make


@APPS
def test_a_page(serve, make):
    site = serve(make())
    assert site.visit("/v1/page") == (200, b"<p>hello")
    event = site.event()
    assert (event.method, event.status, event.bytes) == ("GET", 200, 8)
    assert (event.route, event.view, event.page) == ("/v1/page", "page", True)


@APPS
@pytest.mark.parametrize("path", ["/v1/boom", "/v1/threaded/boom"])
def test_an_exception_that_nobody_handles(serve, make, path):
    """Before the client has its 500: the process may be killed then."""
    seen = []
    site = serve(make())

    async def look(message):
        seen.append((message["type"], len(site.events())))

    with pytest.raises(Unhappy):
        site.ask(path, send=look)
    assert seen == [("http.response.start", 0), ("http.response.body", 1)]
    event = site.event()
    assert (event.status, event.route) == (500, path)
    assert event.exception.endswith("test_asgi_frameworks.Unhappy")
    assert event.bytes == len("Internal Server Error")


@APPS
@pytest.mark.parametrize("code", [403, 404, 500, 503])
def test_a_status_that_is_raised_is_no_exception(serve, make, code):
    site = serve(make())
    assert site.visit(f"/v1/status/{code}")[0] == code
    event = site.event()
    assert (event.status, event.exception) == (code, "")
    assert event.route == "/v1/status/{code}"


def test_an_exception_that_is_handled_as_an_error(serve):
    site = serve(fastapi())
    assert site.visit("/v1/handled") == (503, b"later")
    event = site.event()
    assert event.status == 503
    assert event.exception.endswith("test_asgi_frameworks.Handled")


@APPS
def test_a_stream(serve, make):
    site = serve(make())
    assert site.visit("/v1/stream") == (200, b"onetwothree")
    assert (site.event().status, site.event().bytes) == (200, 11)


def test_a_stream_that_breaks(serve):
    site = serve(fastapi())
    assert site.visit("/v1/stream/broken") == (200, b"one")
    event = site.event()
    assert (event.status, event.bytes) == (200, 3)
    assert event.exception.endswith("Unhappy")


@APPS
@pytest.mark.parametrize("extensions", [{}, {"http.response.pathsend": {}}])
def test_a_file(serve, tmp_path, make, extensions):
    (tmp_path / "file").write_bytes(LONG)
    query = f"path={tmp_path}/file".encode()
    site = serve(make())
    site.visit("/v1/file", query_string=query, extensions=extensions)
    assert (site.event().bytes, site.event().route) == (len(LONG), "/v1/file")


@APPS
def test_head_is_not_answered_by_fastapi(serve, make):
    site = serve(make())
    assert site.visit("/v1/page", "HEAD")[0] == 405
    event = site.event()
    assert (event.method, event.status, event.bytes) == ("HEAD", 405, 0)
    assert event.route == "/v1/page"


def test_bytes_are_those_that_are_sent(serve):
    app = fastapi()
    app.add_middleware(GZipMiddleware)
    site = serve(app)
    headers = [*HEADERS, (b"accept-encoding", b"gzip")]
    _, sent = site.visit("/v1/long", headers=headers)
    assert site.event().bytes == len(sent) < len(LONG)
    assert site.event().page


@APPS
def test_tasks_in_the_background_are_none_of_the_answer(serve, make):
    seen = []
    site = serve(make())

    async def look():
        seen.extend(site.events())

    site.visit("/v1/task", look=look)
    assert seen == site.events()
    assert [(e.status, e.bytes) for e in seen] == [(200, len('"hello"'))]


@APPS
@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_a_client_that_leaves_a_stream(serve, make, version):
    """Told by a message; or, in the newer way, by an error as well."""
    site = serve(make())
    left = asyncio.Event()
    messages = iter([{"type": "http.request", "body": b""}])

    async def receive():
        if message := next(messages, None):
            return message
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        site.sent.append(message)
        if len(site.sent) > 5:
            left.set()
            if version == "2.4":
                raise OSError("closed")

    scope = site.scope("/v1/endless") | {"asgi": {"spec_version": version}}
    errors = (ClientDisconnect, OSError)
    with pytest.raises(errors) if version == "2.4" else nullcontext():
        run(site.app(scope, receive, send))
    event = site.event()
    assert (event.status, event.exception) == (200, "")
    assert event.bytes >= 4000
    assert event.route == "/v1/endless"


@APPS
def test_a_client_that_leaves_while_it_sends(serve, make):
    """The application still says something, to nobody."""
    site = serve(make())
    messages = iter([{"type": "http.request", "body": b"x", "more_body": True}])

    async def receive():
        return next(messages, {"type": "http.disconnect"})

    async def send(message):
        site.sent.append(message)

    with pytest.raises(ClientDisconnect):
        run(site.app(site.scope("/v1/upload", "POST"), receive, send))
    event = site.event()
    assert (event.status, event.exception) == (499, "")
    assert (event.method, event.route) == ("POST", "/v1/upload")


def test_a_websocket_passes_unrecorded(serve):
    app = fastapi()

    @app.websocket("/ws")
    async def echo(websocket: WebSocket):
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    site = serve(app)

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        site.sent.append(message["type"])

    run(site.app(site.scope("/ws", kind="websocket"), receive, send))
    assert site.sent == ["websocket.accept", "websocket.send", "websocket.close"]
    assert site.events() == []


def test_a_recorder_among_the_middleware(serve):
    """It does not see what Starlette makes of an exception outside of all of these."""
    site = serve(None)
    app = fastapi()
    app.add_middleware(AsgiRecorder, options=site.options)
    site.app, inside = app, site.app
    assert site.visit("/v1/page") == (200, b"<p>hello")
    assert site.visit("/v1/boom")[0] == 500
    site.app = inside
    one, other = site.events()
    assert (one.status, one.bytes, one.exception) == (200, 8, "")
    assert (other.status, other.bytes) == (500, 0)
    assert other.exception.endswith("Unhappy")
