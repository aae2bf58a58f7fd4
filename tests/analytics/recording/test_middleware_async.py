"""One event for each request under ASGI, also when the client leaves early."""

import asyncio
import gc
import io
import warnings
from contextlib import suppress

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse
from django.test import AsyncClient

from analytics.recording.middleware import AnalyticsMiddleware
from tests.analytics.recording import site
from tests.analytics.recording.site import CHUNKS, LONG

UNHAPPY = "tests.analytics.recording.site.Unhappy"


class Handler(ASGIHandler):
    """Keeps bodies in memory: Django leaves the file open when a stream raises."""

    async def read_body(self, receive):
        await receive()
        return io.BytesIO()


class Exchange:
    """One request as an ASGI server runs it; `left` is set when the client goes."""

    def __init__(self, path, method="GET"):
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"testserver")],
            "client": ("192.0.2.1", 5),
            "server": ("testserver", 80),
        }
        self.sent = []
        self.asked = False
        self.left = asyncio.Event()
        self.answering = asyncio.Event()

    async def receive(self):
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)
        if message.get("body"):
            self.answering.set()

    @property
    def status(self):
        return self.sent[0]["status"]

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent)

    async def run(self):
        with warnings.catch_warnings():
            # Django says that a sync iterator is read at once; that is meant here.
            warnings.filterwarnings("ignore", "StreamingHttpResponse must consume")
            await Handler()(self.scope, self.receive, self.send)
        return self


def serve(path, method="GET") -> Exchange:
    async def run():
        return await Exchange(path, method).run()

    return async_to_sync(run)()


def serve_and_leave(path, ready) -> Exchange:
    """The client leaves once `ready(exchange)` has come to its end."""

    async def run():
        exchange = Exchange(path)
        task = asyncio.create_task(exchange.run())
        await ready(exchange)
        exchange.left.set()
        with suppress(asyncio.CancelledError):
            await task
        return exchange

    return async_to_sync(run)()


async def answering(exchange):
    await exchange.answering.wait()


async def working(exchange):
    """The view has begun, and there is no answer yet."""
    while not exchange.asked:
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ok/", 200),
        ("/async/ok/", 200),
        ("/empty/", 204),
        ("/redirect/", 302),
        ("/absent/", 404),
        ("/nowhere/", 404),
        ("/ok", 301),
    ],
)
def test_every_request_is_one_event(recorded, path, status):
    assert serve(path).status == status
    assert recorded.event().status == status


def test_the_middleware_is_asynchronous_where_the_chain_is():
    async def get_response(request):
        return HttpResponse()

    assert AnalyticsMiddleware.async_capable
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analytics.recording.middleware.tests_are_running", bool)
        assert iscoroutinefunction(AnalyticsMiddleware(get_response))


@pytest.mark.parametrize("path", ["/boom/", "/async/boom/"])
def test_an_exception_of_a_view_is_named_once(recorded, path):
    assert serve(path).status == 500
    assert (recorded.event().status, recorded.event().exception) == (500, UNHAPPY)


def test_an_exception_of_an_inner_middleware(recorded, settings):
    settings.MIDDLEWARE.append(f"{site.__name__}.async_raising")
    assert serve("/async/ok/").status == 500
    assert recorded.event().exception == UNHAPPY


def test_an_exception_of_a_synchronous_inner_middleware(recorded, settings):
    settings.MIDDLEWARE.append(f"{site.__name__}.Raising")
    assert serve("/async/ok/").status == 500
    assert recorded.event().exception == UNHAPPY


def test_an_exception_that_passes_everybody(recorded, settings):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    with pytest.raises(site.Unhappy):
        serve("/async/boom/")
    assert (recorded.event().status, recorded.event().exception) == (500, UNHAPPY)


@pytest.mark.parametrize("path", ["/async/stream/", "/stream/"])
def test_a_stream_is_one_event_with_its_bytes(recorded, path):
    assert serve(path).body == b"".join(CHUNKS)
    assert recorded.event().bytes == len(b"".join(CHUNKS))


@pytest.mark.parametrize("path", ["/async/broken/", "/broken/"])
def test_a_stream_that_raises_half_way_is_one_event(recorded, path):
    """Django's handler closes neither the response nor the request then."""
    with pytest.raises(site.Unhappy):
        serve(path)
    event = recorded.event()
    assert (event.status, event.exception) == (200, UNHAPPY)
    assert event.bytes == len(CHUNKS[0])


def test_a_server_that_raises_when_the_client_left(recorded):
    async def run():
        exchange = Exchange("/endless/")

        async def send(message):
            if message.get("body"):
                raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            await Handler()(exchange.scope, exchange.receive, send)
        for _ in range(100):
            gc.collect()  # The response is part of a circle of references.
            await asyncio.sleep(0)
            if recorded.offsets:
                return

    async_to_sync(run)()
    event = recorded.event()
    assert (event.status, event.bytes) == (200, 1000)


@pytest.mark.parametrize("path", ["/file/", "/buffer/"])
def test_a_file_is_one_event_with_its_bytes(recorded, path):
    assert serve(path).body == LONG
    assert recorded.event().bytes == len(LONG)


@pytest.mark.parametrize("path", ["/async/stream/", "/ok/"])
def test_head_has_no_body(recorded, path):
    serve(path, "HEAD")
    assert (recorded.event().method, recorded.event().bytes) == ("HEAD", 0)


def test_a_client_that_left_before_there_was_an_answer(recorded):
    exchange = serve_and_leave("/slow/", working)
    assert exchange.sent == []
    event = recorded.event()
    assert (event.status, event.exception, event.bytes) == (499, "", 0)
    assert event.route == "/slow/"


def test_a_client_that_left_a_stream(recorded):
    exchange = serve_and_leave("/endless/", answering)
    event = recorded.event()
    assert (event.status, event.exception) == (200, "")
    assert event.bytes >= len(exchange.body) > 0


def test_a_user_that_the_view_loaded(recorded, settings, admin_user):
    settings.ANALYTICS_RECORD_USERS = True

    async def run():
        client = AsyncClient()
        await client.aforce_login(admin_user)
        await client.get("/async/greet/")
        await client.get("/async/ok/")

    async_to_sync(run)()
    users = [(event.user, event.staff) for event in recorded.events()]
    assert users == [(str(admin_user.pk), True), ("", False)]


def test_many_at_once_are_as_many_events(recorded):
    async def run():
        exchanges = [Exchange("/async/ok/") for _ in range(50)]
        handler = Handler()
        await asyncio.gather(*(handler(e.scope, e.receive, e.send) for e in exchanges))
        return exchanges

    assert all(exchange.status == 200 for exchange in async_to_sync(run)())
    assert recorded.offsets == len(recorded.events()) == 50
