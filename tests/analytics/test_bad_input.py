"""Whatever is sent to the site is answered as without us, and recorded clean."""

import io

import pytest
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.models import DeadLetter, Producer
from analytics.recording.event import RequestEvent
from analytics.recording.shipper import Shipment
from analytics.rollup.drain import Drain
from tests.analytics.recording.site import browser, recorded_site

HUNDRED_KB = 100_000
NASTY = {
    "control": "a\x01b\x7fc",
    "CR and LF": "a\r\nSet-Cookie: b=c\r\n",
    "ANSI": "\x1b[31mred\x1b]0;title\x07",
    "NUL": "a\0b",
    "bidi": "\u202e\u2066gnp.exe\u2069",
    "zero width": "a\u200b\ufeffb",
    "lone surrogate": "a\ud800b\udfff",
    "latin-1 of UTF-8": "caf\xc3\xa9 \xff\xfe",
    "100 kB": "x" * HUNDRED_KB,
    "100 kB of astral": "🎉" * (HUNDRED_KB // 4),
    "script": "<script>alert(1)</script>",
    "format": "%s%n{0}{request.META}",
    "formula": '=HYPERLINK("https://example.com")',
    "empty": "",
    "blank": " \t ",
    "percent": "%00%ff%",
}
READ = (
    "HTTP_USER_AGENT",
    "HTTP_REFERER",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_ACCEPT",
    "HTTP_SEC_PURPOSE",
    "HTTP_SEC_FETCH_DEST",
    "REMOTE_ADDR",
)


@pytest.fixture
def recorded(db, tmp_path, settings, monkeypatch):
    with recorded_site(tmp_path / "journal", settings, monkeypatch) as recorded:
        settings.ANALYTICS_PROXIES = 1
        yield recorded


@pytest.fixture
def handlers(recorded, settings):
    """The site as it is, and without our middleware."""
    with_us = WSGIHandler()
    settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
    return with_us, WSGIHandler()


def environ_of(**changes) -> dict:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/answer/",
        "QUERY_STRING": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
    } | changes


def answer(handler, **changes):
    """Status, headers and body; or the exception that the server would get."""
    started = []
    try:
        body = handler(environ_of(**changes), lambda *args: started.append(args))
        content = b"".join(body)
        body.close()
    except Exception as error:
        return type(error), str(error)
    return *started, content


def assert_clean(event: RequestEvent) -> None:
    texts = [event.method, event.route, event.view, event.exception, event.user]
    texts += [event.referrer, event.language, event.agent, *event.kwargs.values()]
    for text in texts:
        assert text.isprintable()
        assert len(text) <= 300
        text.encode("utf-8")


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("header", READ)
def test_a_nasty_header(recorded, handlers, header, name):
    changes = {header: NASTY[name]}
    assert answer(handlers[0], **changes) == answer(handlers[1], **changes)
    assert_clean(recorded.event())


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_path(recorded, handlers, name):
    for path in (f"/answer/{NASTY[name]}", f"/{NASTY[name]}"):
        # A WSGI server hands over bytes as latin-1; the rest cannot come.
        path = path.encode("utf-8", "surrogatepass").decode("latin-1")
        changes = {"PATH_INFO": path}
        expected = answer(handlers[1], **changes)
        assert answer(handlers[0], **changes) == expected
    assert recorded.offsets == 2
    for event in recorded.events():
        assert_clean(event)
        assert event.route in ("/^answer/", "")


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_query_string(recorded, handlers, name):
    query = NASTY[name].encode("utf-8", "surrogatepass").decode("latin-1")
    changes = {"QUERY_STRING": query}
    assert answer(handlers[0], **changes) == answer(handlers[1], **changes)
    assert_clean(recorded.event())


@pytest.mark.parametrize("method", ["get", "G" * HUNDRED_KB, "BREW\r\n", "\x1b[31m"])
def test_a_nasty_method(recorded, handlers, method):
    changes = {"REQUEST_METHOD": method}
    assert answer(handlers[0], **changes) == answer(handlers[1], **changes)
    assert len(recorded.event().method) <= 20
    assert_clean(recorded.event())


def test_a_hundred_thousand_headers(recorded, handlers):
    changes = {f"HTTP_X_{number}": "x" for number in range(HUNDRED_KB)}
    assert answer(handlers[0], **changes) == answer(handlers[1], **changes)
    assert recorded.event().status == 200


@pytest.mark.parametrize(
    "name", ["HTTP_", "HTTP__", "HTTP_\0", "http_user_agent", "HTTP_HÜ", "\ud800", ""]
)
def test_odd_names_of_headers(recorded, handlers, name):
    assert answer(handlers[0], **{name: "x"}) == answer(handlers[1], **{name: "x"})
    assert_clean(recorded.event())


def test_text_that_can_be_kept_is_kept(recorded, handlers):
    answer(handlers[0], HTTP_USER_AGENT="Möz/5 漢字 🎉")
    assert recorded.event().agent == "Möz/5 漢字 🎉"


def missed(counters) -> list[str]:
    """Why events were not recorded; that nobody is there to ship to is no reason."""
    return [reason for reason in counters if not reason.startswith("ship: ")]


ANY = st.text(st.characters(codec=None), max_size=200)
LATIN = st.text(st.characters(max_codepoint=255), max_size=60)
META = st.dictionaries(
    st.sampled_from([*READ, "HTTP_HOST", "HTTP_COOKIE", "HTTP_HX_REQUEST"])
    | ANY.map("HTTP_".__add__),
    ANY | LATIN,
    max_size=8,
)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(["/answer/", "/ok/", "/shop/a/1/", "/stream/", "/boom/", "/"]),
    LATIN,
    LATIN,
    META,
)
def test_any_request_is_answered_the_same_and_leaves_one_offset(
    recorded, handlers, path, rest, query, meta
):
    changes = {"PATH_INFO": path + rest, "QUERY_STRING": query, **meta}
    before = recorded.offsets
    expected = answer(handlers[1], **changes)
    assert recorded.offsets == before
    assert answer(handlers[0], **changes) == expected
    assert recorded.offsets == before + 1
    assert not missed(recorded.recorder.counters)
    assert_clean(recorded.events()[-1])


def scan(stream) -> bytes:
    """Every key and value of the server."""
    found = []
    for key in stream.client.scan_iter("*"):
        found.append(key)
        found.append(stream.client.dump(key))
        if stream.client.type(key) == b"stream":
            for entry in stream.read(1000):
                found += entry.lines()
        elif stream.client.type(key) == b"hash":
            found += [
                part for item in stream.client.hgetall(key).items() for part in item
            ]
    return b"\n".join(found)


def dump_of_tables() -> str:
    """Every row of the app's tables, as SQL says it."""
    from django.apps import apps
    from django.db import connection

    rows = []
    with connection.cursor() as cursor:
        for model in apps.get_app_config("analytics").get_models():
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")  # noqa: S608
            rows += [repr(row) for row in cursor.fetchall()]
    return "\n".join(rows)


def test_secrets_reach_neither_redis_nor_the_tables(recorded, stream, settings):
    settings.ANALYTICS_SITE = "test"
    settings.ANALYTICS_RECORD_USERS = True
    client = browser(
        authorization="Bearer canary",
        referer="https://u:canary@news.example.com/canary?q=canary",
        x_forwarded_for="198.51.100.77",
        x_api_key="canary",
    )
    client.cookies["canary"] = "canary"
    client.get("/ok/?token=canary&email=canary@example.org", REMOTE_ADDR="192.0.2.77")
    client.post("/answer/canary/", {"password": "canary"})
    client.get("/boom/?token=canary")
    shipment = Shipment(recorded.recorder._journal, stream, 100)
    while shipment.step():
        pass
    in_redis = scan(stream)
    assert b"news.example.com" in in_redis
    Drain(stream).run()
    in_tables = dump_of_tables()
    line = Producer.objects.get()
    assert (line.counted, line.lost, line.rejected) == (3, 0, 0)
    for secret in ("canary", "192.0.2.77", "198.51.100.77"):
        assert secret.encode() not in in_redis
        assert secret.encode() not in scan(stream)
        assert secret not in in_tables
    assert not DeadLetter.objects.exists()


# A request's end may close the connection, which a test's transaction must survive.
@pytest.mark.django_db(transaction=True)
def test_what_was_recorded_of_bad_input_is_counted(
    recorded, handlers, stream, settings
):
    settings.ANALYTICS_SITE = "test"
    for header in READ:
        for text in NASTY.values():
            answer(handlers[0], **{header: text})
    shipment = Shipment(recorded.recorder._journal, stream, 100)
    while shipment.step():
        pass
    Drain(stream).run()
    line = Producer.objects.get()
    assert line.counted == len(READ) * len(NASTY)
    assert (line.waiting, line.lost, line.rejected) == (0, 0, 0)
