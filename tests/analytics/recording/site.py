"""A small site to be recorded: views of every kind, and middleware that breaks.

Reads nothing but the request; `recorded_site` puts a journal of its own under it.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect
from django.test import Client
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import etag, require_GET

from analytics.recording import middleware
from analytics.recording.event import RequestEvent, decode
from analytics.recording.folder import list_segments, producer_directories, segment_path
from analytics.recording.recorder import Recorder

MIDDLEWARE = (
    "analytics.recording.middleware.AnalyticsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)
CHUNKS = (b"one", b"two", b"three")
LONG = b"All work and no play. " * 1000


class Unhappy(Exception):
    """What nobody handles."""


def ok(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return HttpResponse(b"hello", content_type=request.GET.get("type", "text/html"))


async def async_ok(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"hello")


def long(request: HttpRequest) -> HttpResponse:
    return HttpResponse(LONG)


def absent(request: HttpRequest) -> HttpResponse:
    raise Http404


def boom(request: HttpRequest) -> HttpResponse:
    raise Unhappy


def telling_boom(request: HttpRequest) -> HttpResponse:
    """As many errors do, it says what it was given."""
    raise Unhappy("MessageCanary")


async def async_boom(request: HttpRequest) -> HttpResponse:
    raise Unhappy


def worker_timeout(request: HttpRequest) -> HttpResponse:
    """What gunicorn does to a worker that takes too long."""
    raise SystemExit(1)


def hang(request: HttpRequest) -> HttpResponse:
    time.sleep(60)
    return HttpResponse()


async def slow(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(60)
    return HttpResponse()


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def status(request: HttpRequest, code: int) -> HttpResponse:
    return HttpResponse(b"hello", status=code)


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter(CHUNKS))


def sized_stream(request: HttpRequest) -> StreamingHttpResponse:
    length = str(sum(map(len, CHUNKS)))
    return StreamingHttpResponse(iter(CHUNKS), headers={"Content-Length": length})


def broken_stream(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        yield CHUNKS[0]
        raise Unhappy

    return StreamingHttpResponse(chunks())


async def async_stream(request: HttpRequest) -> StreamingHttpResponse:
    async def chunks():
        for chunk in CHUNKS:
            yield chunk

    return StreamingHttpResponse(chunks())


async def async_broken_stream(request: HttpRequest) -> StreamingHttpResponse:
    async def chunks():
        yield CHUNKS[0]
        raise Unhappy

    return StreamingHttpResponse(chunks())


async def endless(request: HttpRequest) -> StreamingHttpResponse:
    async def chunks():
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0.01)

    return StreamingHttpResponse(chunks())


def endless_sync(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        while True:
            yield b"x" * 100_000

    return StreamingHttpResponse(chunks())


def file(request: HttpRequest) -> FileResponse:
    """A file that the server can hand to the kernel."""
    content = tempfile.TemporaryFile()  # noqa: SIM115
    content.write(LONG)
    content.seek(0)
    response = FileResponse(content, content_type="application/octet-stream")
    response["Content-Length"] = str(len(LONG))
    return response


def buffer(request: HttpRequest) -> FileResponse:
    return FileResponse(io.BytesIO(LONG))


def greet(request: HttpRequest) -> HttpResponse:
    """A view that wants to know who asks."""
    return HttpResponse(f"hello {request.user}")


async def async_greet(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(f"hello {user}")


@csrf_exempt
def sign_in(request: HttpRequest) -> HttpResponse:
    _ = request.user.is_authenticated
    login(request, authenticate(request, username="ada", password="secret"))
    return HttpResponse()


def sign_out(request: HttpRequest) -> HttpResponse:
    _ = request.user.is_authenticated
    logout(request)
    return HttpResponse()


def fragment(request: HttpRequest) -> JsonResponse:
    return JsonResponse({})


def answer(request: HttpRequest) -> HttpResponse:
    """The same whoever asks, and however."""
    return HttpResponse(f"{request.method} {request.path}")


class Raising:
    """An inner middleware with a bug."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.get_response(request)
        raise Unhappy


def async_raising(get_response):
    async def middleware(request: HttpRequest) -> HttpResponse:
        await get_response(request)
        raise Unhappy

    return middleware


async_raising.sync_capable, async_raising.async_capable = False, True

shop = [path("<slug:slug>/<int:number>/", ok, name="thing")]

urlpatterns = [
    path("ok/", ok, name="ok"),
    path("async/ok/", async_ok),
    path("long/", long),
    path("absent/", absent, name="absent"),
    path("etag/", etag(lambda request: '"1"')(ok)),
    path("get/", require_GET(ok)),
    path("redirect/", lambda request: redirect("/ok/")),
    path("boom/", boom),
    path("boom/telling/", telling_boom),
    path("async/boom/", async_boom),
    path("timeout/", worker_timeout),
    path("hang/", hang),
    path("slow/", slow),
    path("empty/", empty),
    path("status/<int:code>/", status),
    path("stream/", stream),
    path("sized/", sized_stream),
    path("broken/", broken_stream),
    path("async/stream/", async_stream),
    path("async/broken/", async_broken_stream),
    path("endless/", endless),
    path("endless/sync/", endless_sync),
    path("file/", file),
    path("buffer/", buffer),
    path("greet/", greet),
    path("async/greet/", async_greet),
    path("in/", sign_in),
    path("out/", sign_out),
    path("json/", fragment),
    path("shop/", include((shop, "shop"))),
    path("ignored/", ok),
    re_path(r"^answer/", csrf_exempt(answer)),
]


class Recorded:
    """What the middleware of this process recorded."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def recorder(self) -> Recorder:
        return middleware.get_recorder()

    @property
    def offsets(self) -> int:
        """How many offsets are used up."""
        journal = self.recorder._journal
        return journal.next_offset if journal else 0

    def lines(self) -> list[bytes]:
        return journal_lines(self.root)

    def events(self) -> list[RequestEvent]:
        return [decode(line) for line in self.lines()]

    def event(self) -> RequestEvent:
        """The one event there is."""
        assert self.offsets == 1, dict(self.recorder.counters)
        (event,) = self.events()
        return event


def journal_lines(root: Path) -> list[bytes]:
    lines = []
    for directory in producer_directories(root):
        for first in list_segments(directory):
            lines += segment_path(directory, first).read_bytes().splitlines()
    return lines


def end(recorder: Recorder) -> None:
    """Close it, and its journal, which only the end of a process closes."""
    recorder.close()
    if recorder._journal:
        recorder._journal.close()


@contextmanager
def recorded_site(root: Path, settings, monkeypatch) -> Iterator[Recorded]:
    """Serve this site, recorded into `root`, with no Redis behind it."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = list(MIDDLEWARE)
    settings.TEMPLATES = []
    settings.ANALYTICS_RECORD_IN_TESTS = True
    settings.ANALYTICS_JOURNAL_DIR = str(root)
    settings.ANALYTICS_REDIS_URL = f"unix://{root}/no.sock"
    settings.ANALYTICS_IGNORE = ("/ignored/",)
    monkeypatch.setattr(middleware, "_recorder", None)
    try:
        yield Recorded(root)
    finally:
        end(middleware.get_recorder())


def browser(**headers: str) -> Client:
    """A client that takes a 500 for an answer, as browsers do."""
    return Client(raise_request_exception=False, headers=headers)
