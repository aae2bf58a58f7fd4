"""The recorder of ASGI sites: what is recorded, and that nothing else is changed."""

import asyncio
from types import SimpleNamespace

import pytest

from analytics.recording.wsgi import WsgiRecorder
from tests.analytics.recording.asgi_site import HEADERS, HTML, run, serving


class Unhappy(Exception):
    """What nobody handles."""


@pytest.fixture
def serve(tmp_path):
    with serving(tmp_path) as make:
        yield make


def start(status=200, headers=HTML):
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(data, more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


async def hello(scope, receive, send):
    scope["route"] = SimpleNamespace(path="/p/{slug}", name="product")
    await send(start())
    await send(body(b"hel", more=True))
    await send(body(b"lo"))


def test_a_request_leaves_one_event(serve):
    site = serve(hello)
    assert site.ask("/p/lamp") == b"hello"
    event = site.event()
    assert (event.method, event.status, event.bytes) == ("GET", 200, 5)
    assert (event.route, event.view) == ("/p/{slug}", "product")
    assert (event.page, event.host) == (True, "shop.example.org")
    assert (event.referrer, event.language) == ("search.example.org", "de-at")
    assert event.campaign == "letter / - / -"


def test_the_visitor_is_the_same_as_of_wsgi(serve):
    site = serve(hello)
    site.ask()

    def app(environ, start_response):
        start_response("200 OK", [])
        return []

    environ = {"REMOTE_ADDR": "192.0.2.7", "HTTP_USER_AGENT": HEADERS[1][1].decode()}
    environ |= {"PATH_INFO": "/", "REQUEST_METHOD": "GET"}
    WsgiRecorder(app, site.options)(environ, lambda status, headers: None)
    one, other = site.events()
    assert one.visitor == other.visitor != 0


def test_an_application_may_name_its_route_itself(serve):
    async def app(scope, receive, send):
        scope["analytics.route"], scope["analytics.view"] = "/own/", "mine"
        await send(start(404))
        await send(body(b""))

    site = serve(app)
    site.ask()
    event = site.event()
    assert (event.route, event.view, event.status) == ("/own/", "mine", 404)


def test_no_route_is_as_a_404_of_django(serve):
    async def app(scope, receive, send):
        await send(start(404))
        await send(body(b""))

    site = serve(app)
    site.ask()
    assert (site.event().route, site.event().view) == ("", "")


def test_tasks_behind_the_answer_are_none_of_it(serve):
    seen = []

    async def app(scope, receive, send):
        await hello(scope, receive, send)
        seen.append(len(site.events()))

    site = serve(app)
    site.ask()
    assert seen == [1]
    assert len(site.events()) == 1


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ((), 500),
        ((start(),), 500),
        ((start(), body(b"hello", True)), 200),
        ((start(500), body(b"sorry")), 500),
    ],
    ids=["at once", "without a body", "in a stream", "behind the 500 it made"],
)
def test_an_exception_passes_and_is_named(serve, messages, status):
    async def app(scope, receive, send):
        for message in messages:
            await send(message)
        raise Unhappy

    site = serve(app)
    with pytest.raises(Unhappy):
        site.ask()
    event = site.event()
    assert event.exception.endswith("test_asgi.Unhappy")
    assert event.status == status


@pytest.mark.parametrize(("messages", "status"), [((), 499), ((start(),), 200)])
def test_a_client_that_did_not_wait(serve, messages, status):
    async def app(scope, receive, send):
        for message in messages:
            await send(message)
        raise asyncio.CancelledError

    site = serve(app)
    with pytest.raises(asyncio.CancelledError):
        site.ask()
    assert (site.event().status, site.event().exception) == (status, "")


def test_a_server_that_says_that_the_client_left(serve):
    async def gone(message):
        raise OSError("closed")

    site = serve(hello)
    with pytest.raises(OSError, match="closed"):
        site.ask(send=gone)
    assert (site.event().status, site.event().exception) == (499, "")


def test_an_application_that_never_answers(serve):
    async def app(scope, receive, send):
        return None

    site = serve(app)
    site.ask()
    assert site.event().status == 500


def test_one_that_stops_when_the_client_has_left(serve):
    async def app(scope, receive, send):
        assert await receive() == {"type": "http.disconnect"}

    site = serve(app)
    site.ask()
    assert (site.event().status, site.event().exception) == (499, "")


def test_other_protocols_pass(serve):
    seen = []

    async def app(scope, receive, send):
        seen.append((scope, receive, send))

    site = serve(app)
    scope, receive, send = {"type": "websocket"}, object(), object()
    run(site.app(scope, receive, send))
    assert seen == [(scope, receive, send)]
    assert site.events() == []


def test_a_lifespan_passes_and_what_is_left_is_shipped_at_its_end(serve):
    """Before its last message: with that, servers end."""
    seen = []

    async def app(scope, receive, send):
        if scope["type"] != "lifespan":
            return await hello(scope, receive, send)
        seen.append((await receive())["type"])
        await send({"type": "lifespan.startup.complete"})
        seen.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})

    site = serve(app)
    site.ask()
    shipper = site.app.recorder._shipper._thread
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive():
        return {"type": next(messages)}

    async def send(message):
        seen.append((message["type"], shipper.is_alive()))

    run(site.app({"type": "lifespan"}, receive, send))
    assert seen == [
        "lifespan.startup",
        ("lifespan.startup.complete", True),
        "lifespan.shutdown",
        ("lifespan.shutdown.complete", False),
    ]
    assert len(site.events()) == 1


def test_messages_pass_unchanged(serve):
    site = serve(hello)
    site.ask()
    assert site.sent == [start(), body(b"hel", more=True), body(b"lo")]


@pytest.mark.parametrize(
    "messages",
    [
        [{"type": "http.response.pathsend", "path": "/f"}],
        [{"type": "http.response.zerocopysend", "file": 3}],
        [body(b"x" * 60, True), body(b"x" * 40, True)],
    ],
    ids=["by its path", "by its descriptor", "with as much as was said"],
)
def test_what_ends_an_answer(serve, messages):
    seen = []

    async def app(scope, receive, send):
        await send(start(200, [(b"content-length", b"100")]))
        for message in messages:
            await send(message)
        seen.append(len(site.events()))
        await send(body(b""))

    site = serve(app)
    site.ask()
    assert (seen, site.event().bytes) == ([1], 100)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304)])
def test_what_has_no_body(serve, method, status):
    async def app(scope, receive, send):
        await send(start(status, []))
        await send(body(b"never sent"))

    site = serve(app)
    site.ask("/", method)
    assert site.event().bytes == 0


def test_ignored_paths(serve):
    site = serve(hello)
    assert site.ask("/ignored/x") == b"hello"
    assert site.events() == []


def test_what_cannot_be_recorded_is_counted_and_harms_nobody(serve):
    async def app(scope, receive, send):
        del scope["headers"][:]
        scope["query_string"] = 5
        await send(start())
        await send(body(b"hello"))

    site = serve(app)
    assert site.ask() == b"hello"
    assert site.app.recorder.counters["event: AttributeError"] == 1


def test_an_answer_is_recorded_before_its_last_part_is_sent(serve):
    seen = []
    site = serve(hello)

    async def look(message):
        seen.append(len(site.events()))

    site.ask(send=look)
    assert seen == [0, 0, 1]
