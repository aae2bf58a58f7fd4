"""The recorder of WSGI sites: what is recorded, and that nothing else is changed."""

import io
import sys
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

from analytics.conf import get_config
from analytics.recording.event import decode
from analytics.recording.middleware import EventMaker
from analytics.recording.options import Options
from analytics.recording.wsgi import WsgiRecorder
from tests.analytics.recording.site import end, journal_lines

HTML = [("Content-Type", "text/html; charset=utf-8")]
HEADERS = {
    "REMOTE_ADDR": "192.0.2.7",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64)",
    "HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9",
    "HTTP_REFERER": "https://search.example.org/?q=x",
    "HTTP_HOST": "shop.example.org:8000",
    "QUERY_STRING": "utm_source=letter&utm_campaign=june&x=1",
}


class Unhappy(Exception):
    """What nobody handles."""


class Site:
    """A recorded application, asked as a server would."""

    def __init__(self, root, app, **changes):
        self.root = root
        options = {"hosts": ("shop.example.org",), "ignore": ("/ignored/",)} | changes
        self.app = WsgiRecorder(
            app,
            Options("shop", "key", f"unix://{root}/no.sock", root, **options),
        )
        self.started = []
        self.written = []

    def environ(self, path="/", method="GET", **more):
        environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "SCRIPT_NAME": ""}
        setup_testing_defaults(environ)
        return environ | {"wsgi.file_wrapper": FileWrapper} | HEADERS | more

    def start_response(self, status, headers, exc_info=None):
        if exc_info and self.started:
            raise exc_info[1]
        self.started.append((status, headers))
        return self.written.append

    def ask(self, *words, **more):
        """The body as a server reads and closes it."""
        body = self.app(self.environ(*words, **more), self.start_response)
        try:
            return b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()

    def events(self):
        return [decode(line) for line in journal_lines(self.root)]

    def event(self):
        (event,) = self.events()
        return event


@pytest.fixture
def serve(tmp_path):
    """Records an application into a folder of the test's own."""
    made = []

    def make(app, **changes):
        made.append(Site(tmp_path, app, **changes))
        return made[-1]

    yield make
    for site in made:
        end(site.app.recorder)


def hello(environ, start_response):
    start_response("200 OK", HTML)
    environ["analytics.route"] = "/p/<slug>"
    environ["analytics.view"] = "shop.product"
    return [b"hel", b"lo"]


def chunks(environ, start_response):
    start_response("200 OK", HTML)
    yield b"hello"
    yield b"world"


def boom(environ, start_response):
    raise Unhappy


def late_boom(environ, start_response):
    start_response("200 OK", HTML)
    yield b"hello"
    raise Unhappy


def early_boom(environ, start_response):
    start_response("200 OK", HTML)
    raise Unhappy
    yield b""


def test_a_request_leaves_one_event(serve):
    site = serve(hello)
    assert site.ask("/p/lamp") == b"hello"
    event = site.event()
    assert (event.method, event.status, event.bytes) == ("GET", 200, 5)
    assert (event.route, event.view) == ("/p/<slug>", "shop.product")
    assert (event.page, event.exception, event.kwargs) == (True, "", {})
    assert (event.host, event.referrer) == ("shop.example.org", "search.example.org")
    assert (event.language, event.campaign) == ("de-at", "letter / - / june")
    assert event.path == ""
    assert event.duration >= 1


def test_it_is_the_event_that_django_makes(serve, settings, rf):
    """But for what only one of them knows: route, view and path."""
    settings.ANALYTICS_KEY, settings.ALLOWED_HOSTS = "key", ["shop.example.org"]
    site = serve(hello)
    site.ask("/p/lamp")
    event = site.event()
    request = rf.get("/p/lamp", **HEADERS)
    request.resolver_match = None
    arrived = event.time * 1_000_000
    live = EventMaker(get_config())(request, 200, arrived, 0, 5, "", True)
    left_out = ("route", "view", "duration")
    for name in set(event.__struct_fields__) - set(left_out):
        assert getattr(event, name) == getattr(live, name), name


def test_no_route_is_as_a_404_of_django(serve):
    def nothing(environ, start_response):
        start_response("404 Not Found", HTML)
        return []

    site = serve(nothing)
    site.ask("/wp-login.php")
    event = site.event()
    assert (event.route, event.view, event.status) == ("", "", 404)
    assert not event.page


def test_a_stream_is_recorded_when_it_is_closed(serve):
    site = serve(chunks)
    body = site.app(site.environ(), site.start_response)
    assert next(iter(body)) == b"hello"
    assert site.events() == []
    body.close()
    assert (site.event().status, site.event().bytes) == (200, 5)


def test_a_stream_is_counted_to_its_end(serve):
    site = serve(chunks)
    assert site.ask() == b"helloworld"
    assert site.event().bytes == 10


@pytest.mark.parametrize(
    ("app", "status", "sent"),
    [(boom, 500, 0), (early_boom, 500, 0), (late_boom, 200, 5)],
)
def test_an_exception_passes_and_is_named(serve, app, status, sent):
    site = serve(app)
    with pytest.raises(Unhappy):
        site.ask()
    event = site.event()
    assert event.exception.endswith("test_wsgi.Unhappy")
    assert (event.status, event.bytes) == (status, sent)


def test_a_client_that_did_not_wait(serve):
    closed = []

    class Never:
        def __iter__(self):
            return self

        def __next__(self):
            return b"x"

        def close(self):
            closed.append(True)

    site = serve(lambda environ, start_response: Never())
    site.app(site.environ(), site.start_response).close()
    assert site.event().status == 499
    assert closed == [True]


@pytest.mark.parametrize("body", [[], iter([])], ids=["list", "iterator"])
def test_an_application_that_says_no_status_is_at_fault(serve, body):
    site = serve(lambda environ, start_response: body)
    assert site.ask() == b""
    assert site.event().status == 500


def test_exc_info_replaces_the_answer_and_names_the_exception(serve):
    def app(environ, start_response):
        start_response("200 OK", HTML)
        try:
            raise Unhappy
        except Unhappy:
            start_response("500 Oops", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"sorry"]

    site = serve(app)
    site.start_response = lambda status, headers, exc_info=None: site.started.append(
        (status, headers, exc_info and exc_info[0])
    )
    assert site.ask() == b"sorry"
    assert site.started[1][2] is Unhappy
    event = site.event()
    assert (event.status, event.page) == (500, False)
    assert event.exception.endswith("Unhappy")


def test_what_an_application_made_a_500_of_can_be_told(serve):
    def app(environ, start_response):
        environ["analytics.exception"] = Unhappy()
        start_response("500 Oops", HTML)
        return []

    site = serve(app)
    site.ask()
    assert site.event().exception.endswith("Unhappy")


def test_write_is_passed_on_and_counted(serve):
    def app(environ, start_response):
        start_response("200 OK", HTML)(b"written")
        return [b"!"]

    site = serve(app)
    assert site.ask() == b"!"
    assert site.written == [b"written"]
    assert site.event().bytes == 8


def test_a_file_stays_the_servers_own(serve):
    content = io.BytesIO(b"x" * 100)

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "100")])
        return environ["wsgi.file_wrapper"](content)

    site = serve(app)
    body = site.app(site.environ(), site.start_response)
    assert type(body) is FileWrapper
    assert site.events() == []
    body.close()
    assert content.closed
    assert site.event().bytes == 100


def test_lists_and_sizes_stay_for_servers_that_ask(serve):
    class Sized:
        def __len__(self):
            return 1

        def __iter__(self):
            return iter([b"hello"])

    answer = [b"hello"]

    def app(environ, start_response):
        start_response("200 OK", HTML)
        return answer if environ["PATH_INFO"] == "/list" else Sized()

    site = serve(app)
    assert site.app(site.environ("/list"), site.start_response) is answer
    body = site.app(site.environ("/sized"), site.start_response)
    assert len(body) == 1
    assert list(body) == [b"hello"]
    assert len(site.events()) == 2


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204)])
def test_what_has_no_body(serve, method, status):
    def app(environ, start_response):
        start_response(f"{status} OK", HTML)
        return [b"never sent"]

    site = serve(app)
    site.ask("/", method)
    assert site.event().bytes == 0


def test_ignored_paths_and_foreign_hosts(serve):
    site = serve(hello)
    site.ask("/ignored/x")
    assert site.events() == []
    site.ask("/", HTTP_HOST="evil.example.net")
    assert site.event().host == ""


def test_paths_where_they_are_wanted(serve):
    site = serve(hello, record_paths=True)
    site.ask("/caf\xc3\xa9", SCRIPT_NAME="/shop")
    assert site.event().path == "/shop/café"


def test_who_asks_not_to_be_followed(serve):
    site = serve(hello, honour_dnt=True)
    site.ask(HTTP_DNT="1")
    event = site.event()
    assert (event.visitor, event.referrer, event.campaign, event.language) == (
        0,
        "",
        "",
        "",
    )


def test_proxies_and_the_country_they_tell(serve):
    site = serve(hello, proxies=1, country_header="CF-IPCountry")
    direct = serve(hello)
    site.ask(HTTP_X_FORWARDED_FOR="203.0.113.9", HTTP_CF_IPCOUNTRY="AT")
    direct.ask(REMOTE_ADDR="203.0.113.9")
    behind, plain = site.events()
    assert behind.visitor == plain.visitor
    assert (behind.country, plain.country) == ("AT", "")


@pytest.mark.parametrize(
    "broken",
    [
        {"analytics.route": 5},
        {"HTTP_USER_AGENT": 5},
        {"QUERY_STRING": b"utm_source=x"},
        {"SCRIPT_NAME": None, "REQUEST_METHOD": None},
    ],
)
def test_what_cannot_be_recorded_is_counted_and_harms_nobody(serve, broken):
    def app(environ, start_response):
        start_response("200 OK", HTML)
        environ.update(broken)
        return [b"hello"]

    site = serve(app)
    assert site.ask() == b"hello"
    assert site.app.recorder._journal.next_offset == 1


def test_a_status_that_is_none(serve):
    def app(environ, start_response):
        start_response("fine", HTML)
        return [b"hello"]

    site = serve(app)
    assert site.ask() == b"hello"
    assert site.app.recorder.counters["event: ValueError"] == 1
