"""Canaries: what a request tells, and nobody is to keep, is found nowhere afterwards.

Requests full of secrets go the whole way: middleware, journal, Redis, drain, tables,
export. At each station everything is searched, packed or not.
"""

import ipaddress
import logging
from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from openpyxl import load_workbook

from analytics.models import Producer, Rollup
from analytics.recording.shipper import Shipment
from analytics.reporting.exports import csv_chunks, json_chunks
from analytics.reporting.workbooks import xlsx_chunks
from analytics.rollup.drain import Drain
from analytics.stream import Entry
from tests.analytics.recording.site import browser, recorded_site

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0 AgentCanary/9"
ADDRESS = "192.0.2.77"
LONG_ADDRESS = "2001:db8:77:77:77:77:77:77"
HEADERS = {
    "authorization": "Bearer AuthorizationCanary",
    "proxy-authorization": "Basic ProxyCanary",
    "x-api-key": "HeaderCanary",
    "x-unknown": "UnknownCanary",
    "x-forwarded-for": "198.51.100.77",
    "forwarded": "for=198.51.100.78",
    "x-forwarded-host": "ForwardedCanary.example.net",
    "x-real-ip": "198.51.100.79",
    "accept-language": "de, LanguageCanary;q=0.1",
    "referer": "https://UserCanary:PassCanary@news.example.org/PathCanary/"
    "?q=ReferrerCanary#FragmentCanary",
    "user-agent": AGENT,
}
QUERY = (
    "?token=QueryCanary&email=MailCanary%40example.org&KeyCanary=1"
    "&utm_source=letter&utm_term=TermCanary&utm_id=IdCanary&utm_content=ContentCanary"
)
SECRETS = (
    *("AuthorizationCanary", "ProxyCanary", "HeaderCanary", "UnknownCanary"),
    *("198.51.100.77", "198.51.100.78", "198.51.100.79", "LanguageCanary"),
    *("UserCanary", "PassCanary", "PathCanary", "ReferrerCanary", "FragmentCanary"),
    *("QueryCanary", "MailCanary", "KeyCanary", "TermCanary", "IdCanary"),
    *("ContentCanary", "ForwardedCanary", "HostCanary", "MessageCanary"),
    *("CookieCanary", "CookieNameCanary", "FormCanary", "JsonCanary"),
    *("FileNameCanary", "FileContentCanary", "kwarg-canary", "NotFoundCanary"),
)
TOLD_BY_DJANGO = {"NotFoundCanary", "HostCanary", "MessageCanary"}
"""Its own log has the paths of 404 and 500, hosts it refuses, and tracebacks."""
PERSON = ("NameCanary", "person.canary@example.org")
"""What the site's own table of users holds, and its list of sign-ins, and no other."""
ADDRESSES = (ADDRESS, LONG_ADDRESS, ipaddress.ip_address(LONG_ADDRESS).packed)
AGENTS = (AGENT, "AgentCanary")

# The end of a stream may close the connection, which a test's transaction must survive.
pytestmark = pytest.mark.django_db(transaction=True)


class Everything(logging.Handler):
    """Whatever any logger has to say, with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.said: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append((record.name, self.format(record)))

    def of(self, *loggers: str) -> bytes:
        """What these, and those below them, have said; without names, all of it."""
        found = (text for name, text in self.said if name.startswith(loggers or ""))
        return "\n".join(found).encode()


@pytest.fixture
def log():
    root, handler = logging.getLogger(), Everything()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.NOTSET)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture
def recorded(transactional_db, tmp_path, settings, monkeypatch):
    with recorded_site(tmp_path / "journal", settings, monkeypatch) as recorded:
        settings.ANALYTICS_SITE = "test"
        settings.ANALYTICS_RECORD_USERS = True
        yield recorded


def ask() -> int:
    """Requests of all kinds; how many."""
    client = browser(**HEADERS)
    client.cookies["CookieNameCanary"] = "CookieCanary"
    person = User.objects.create_user(*PERSON, password="PasswordCanary")
    form = {"password": "FormCanary", "token": "FormCanary"}
    upload = SimpleUploadedFile("FileNameCanary.txt", b"FileContentCanary")
    answers = []
    for address in (ADDRESS, LONG_ADDRESS):
        for path in ("/ok/", "/stream/", "/shop/kwarg-canary/7/", "/boom/", "/get/"):
            answers.append(client.get(path + QUERY, REMOTE_ADDR=address))
        for body in (form, {"file": upload}):
            answers.append(client.post("/answer/" + QUERY, body, REMOTE_ADDR=address))
        json = {"data": '{"a": "JsonCanary"}', "content_type": "application/json"}
        answers.append(client.put("/answer/" + QUERY, **json, REMOTE_ADDR=address))
        answers.append(client.get("/NotFoundCanary/" + QUERY, REMOTE_ADDR=address))
        answers.append(client.get("/boom/telling/" + QUERY, REMOTE_ADDR=address))
        host = {"HTTP_HOST": "HostCanary.example.net", "REMOTE_ADDR": address}
        answers.append(client.get("/ok/" + QUERY, **host))
        client.force_login(person)
        answers.append(client.get("/greet/" + QUERY, REMOTE_ADDR=address))
    for answer in answers:
        answer.close()
    assert {answer.status_code for answer in answers} == {200, 400, 404, 500}
    return len(answers)


def in_files(root: Path) -> bytes:
    files = [path for path in root.rglob("*") if path.is_file()]
    return b"\n".join(str(p).encode() + b"\n" + p.read_bytes() for p in files)


def in_redis(stream) -> bytes:
    """All keys with their values, as they are and unpacked."""
    client, found = stream.client, []
    readers = {
        b"string": lambda key: [client.get(key)],
        b"hash": lambda key: [*client.hgetall(key), *client.hvals(key)],
        b"stream": lambda key: [
            part
            for _entry, fields in client.xrange(key)
            for pair in fields.items()
            for part in pair
        ],
    }
    for key in client.scan_iter("*"):
        found += [key, client.dump(key), *readers[client.type(key)](key)]
    for entry in stream.read(10_000):
        assert isinstance(entry, Entry)
        found += entry.lines()
    return b"\n".join(found)


def in_tables(*left_out: str) -> bytes:
    """All rows of all tables, binary columns as they are."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in left_out:
                name = connection.ops.quote_name(table)
                cursor.execute(f"SELECT * FROM {name}")  # noqa: S608
                found += [_raw(value) for row in cursor for value in row]
    return b"\n".join(found)


def _raw(value) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode()


def in_exports() -> bytes:
    rows = Rollup.objects.order_by("pk")
    book = load_workbook(BytesIO(b"".join(xlsx_chunks(rows))))
    cells = str([list(sheet.values) for sheet in book.worksheets]).encode()
    return b"".join((*csv_chunks(rows), *json_chunks(rows), cells))


def found(canaries, where: bytes) -> list:
    """Those that are there, in any spelling of their letters."""
    text = where.lower()
    wanted = {
        each: each if isinstance(each, bytes) else each.lower().encode()
        for each in canaries
    }
    return [each for each, raw in wanted.items() if raw in text or raw in where]


def ship(shipment: Shipment) -> None:
    while shipment.step():
        pass


@pytest.mark.parametrize("proxies", [0, 1])
def test_nothing_secret_is_kept_anywhere(recorded, stream, log, settings, proxies):
    """With a proxy, the visitor is who ``X-Forwarded-For`` says."""
    settings.ANALYTICS_PROXIES = proxies
    requests = ask()
    person = str(User.objects.get().pk)
    journal = in_files(recorded.root)
    assert found(AGENTS, journal) == list(AGENTS)
    assert found((*SECRETS, *PERSON, *ADDRESSES), journal) == []

    shipment = Shipment(recorded.recorder._journal, stream, 100)
    ship(shipment)
    waiting = in_redis(stream)
    assert found(AGENTS, waiting) == list(AGENTS)
    assert found((*SECRETS, *PERSON, *ADDRESSES), waiting) == []

    Drain(stream).run()
    line = Producer.objects.get()
    assert (line.counted, line.lost, line.rejected) == (requests, 0, 0)
    # As the shipper's thread does when nothing comes for some seconds.
    ship(shipment)
    recorded.recorder._journal.roll()
    recorded.recorder._journal.delete_counted(shipment.expected)

    everything = (*SECRETS, *ADDRESSES, *AGENTS)
    assert found((*everything, *PERSON), in_files(recorded.root)) == []
    assert found((*everything, *PERSON), in_redis(stream)) == []
    assert found(everything, in_tables()) == []
    assert found(PERSON, in_tables("auth_user", "access_signin")) == []
    assert found((*everything, *PERSON), in_exports()) == []
    assert found((*everything, *PERSON), log.of("analytics")) == []
    others = set(everything) - TOLD_BY_DJANGO
    assert found((*others, *PERSON), log.of()) == []
    assert Rollup.objects.filter(dimension="user", key=person).exists()


def test_what_may_be_kept_is_found_so_the_search_works(recorded, stream, log):
    ask()
    ship(Shipment(recorded.recorder._journal, stream, 100))
    kept = ("news.example.org", "letter / - / -", "/shop/<slug:slug>/<int:number>/")
    assert found(kept, in_redis(stream)) == list(kept)
    Drain(stream).run()
    assert found(kept, in_tables()) == list(kept)
    assert found((*kept, "firefox"), in_exports()) == [*kept, "firefox"]
    assert found(PERSON, in_tables()) == list(PERSON)
    assert found(("NotFoundCanary",), log.of("django.request")) == ["NotFoundCanary"]
