"""The recorder of ASGI sites: what is recorded, and that nothing else is changed."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from analytics.recording.asgi import AsgiRecorder
from analytics.recording.event import decode
from analytics.recording.options import Options
from analytics.recording.wsgi import WsgiRecorder
from tests.analytics.recording.site import end, journal_lines

HTML = [(b"content-type", b"text/html; charset=utf-8")]
HEADERS = [
    (b"host", b"shop.example.org"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64)"),
    (b"accept-language", b"de-AT,de;q=0.9"),
    (b"referer", b"https://search.example.org/?q=x"),
    (b"user_agent", b"not this one"),
]


def run(coroutine):
    """In a thread of its own: that of the tests may have a loop of Playwright's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


class Unhappy(Exception):
    """What nobody handles."""


class Site:
    """A recorded application, asked as a server would."""

    def __init__(self, root, app, **changes):
        self.root, self.sent = root, []
        options = {"hosts": ("shop.example.org",), "ignore": ("/ignored/",)} | changes
        self.options = Options("shop", "key", f"unix://{root}/n", root, **options)
        self.app = AsgiRecorder(app, self.options)

    def scope(self, path="/", method="GET", kind="http"):
        return {
            "type": kind,
            "path": path,
            "method": method,
            "headers": list(HEADERS),
            "query_string": b"utm_source=letter",
            "client": ("192.0.2.7", 5000),
        }

    def ask(self, *words, send=None):
        async def receive():
            return {"type": "http.disconnect"}

        async def keep(message):
            self.sent.append(message)

        scope = self.scope(*words)
        run(self.app(scope, receive, send or keep))
        return b"".join(m.get("body", b"") for m in self.sent)

    def events(self):
        return [decode(line) for line in journal_lines(self.root)]

    def event(self):
        (event,) = self.events()
        return event


@pytest.fixture
def serve(tmp_path):
    made = []

    def make(app, **changes):
        made.append(Site(tmp_path, app, **changes))
        return made[-1]

    yield make
    for site in made:
        end(site.app.recorder)


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


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_other_protocols_pass(serve, kind):
    seen = []

    async def app(scope, receive, send):
        seen.append((scope, receive, send))

    site = serve(app)
    scope, receive, send = {"type": kind}, object(), object()
    run(site.app(scope, receive, send))
    assert seen == [(scope, receive, send)]
    assert site.events() == []


def test_messages_pass_unchanged(serve):
    site = serve(hello)
    site.ask()
    assert site.sent == [start(), body(b"hel", more=True), body(b"lo")]


def test_a_file_that_the_server_sends(serve):
    async def app(scope, receive, send):
        await send(start(200, [(b"content-length", b"100")]))
        await send({"type": "http.response.pathsend", "path": "/f"})

    site = serve(app)
    site.ask()
    assert site.event().bytes == 100


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
