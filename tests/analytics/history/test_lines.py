"""A line becomes the event that the middleware would have recorded."""

import datetime

import pytest
from django.test import RequestFactory
from django.urls import set_script_prefix

from analytics.conf import get_config
from analytics.history.formats import format_named, others
from analytics.history.lines import LineReader, Unreadable
from analytics.history.targets import Targets
from analytics.recording.middleware import EventMaker
from tests.analytics.history.logs import FIREFOX, START, line
from tests.analytics.history.test_formats import EXAMPLES

pytestmark = pytest.mark.usefixtures("site")


def reader(*ignore: str, name: str = "combined", own=("www.example.org",)):
    chosen = format_named(name)
    targets = Targets((*get_config().ignore, *ignore))
    return LineReader(get_config(), chosen, others(chosen), own, targets)


def read(text: str, **options):
    return reader(**options)(text)


def reason(text: str) -> str:
    with pytest.raises(Unreadable) as error:
        read(text)
    return str(error.value)


def test_all_that_a_line_tells():
    event = read(
        line(
            request="GET /products/mug/?utm_source=news&utm_campaign=july&q=x HTTP/2.0",
            referrer="https://search.example.com/?q=mug",
        )
    )
    assert event.time == START.timestamp() * 1000
    assert (event.method, event.status, event.bytes) == ("GET", 200, 512)
    assert (event.route, event.view) == ("/products/<slug:slug>/", "products:detail")
    assert (event.kwargs, event.page) == ({"slug": "mug"}, True)
    assert (event.referrer, event.campaign) == ("search.example.com", "news / - / july")
    assert (event.agent, event.duration, event.staff) == (FIREFOX, 0, False)
    assert (event.host, event.path, event.user) == ("", "", "")


@pytest.mark.parametrize("name", ["combined_seconds", "combined_microseconds"])
def test_durations_are_microseconds(name):
    assert read(EXAMPLES[name], name=name).duration == 42_000
    assert read(EXAMPLES[name]).duration == 42_000


@pytest.mark.parametrize(
    ("taken", "name", "duration"),
    [
        ("0.000", "combined_seconds", 1),
        ("0", "combined_microseconds", 1),
        ("-", "combined_seconds", 0),
    ],
)
def test_a_duration_of_nothing_is_known_and_one_not_logged_is_not(
    taken, name, duration
):
    assert read(line(tail=f" {taken}"), name=name).duration == duration


def test_an_absurd_duration_spoils_no_sum():
    assert read(line(tail=" " + "9" * 30)).duration <= 2**40
    assert read(line(size="9" * 30)).bytes <= 2**40


def test_the_server_may_be_named():
    event = read(EXAMPLES["vhost_combined"], name="vhost_combined")
    assert event.host == "www.example.org"


@pytest.mark.parametrize(
    "agent", [FIREFOX, "", 'a "quoted" \\ one', "caf\xc3\xa9 \xff", "x" * 500]
)
@pytest.mark.parametrize(
    "address", ["192.0.2.7", "2001:db8:1:2:3::4", "::ffff:192.0.2.9"]
)
@pytest.mark.parametrize("period", ["stable", "month", "day"])
def test_a_person_in_the_log_is_the_same_visitor_live(site, address, agent, period):
    site.ANALYTICS_VISITOR_PERIOD = period
    headers = {"HTTP_USER_AGENT": agent} if agent else {}
    request = RequestFactory().get("/", REMOTE_ADDR=address, **headers)
    request.resolver_match = None
    arrived = int(START.timestamp() * 1e9)
    live = EventMaker(get_config())(request, 200, arrived, 0, 0, "", False)
    by_nginx = "".join(
        char if " " <= char <= "~" and char not in '"\\' else f"\\x{ord(char):02X}"
        for char in agent
    )
    by_apache = agent.replace("\\", "\\\\").replace('"', '\\"')
    for written in (by_nginx, by_apache):
        event = read(line(address=address, agent=written or "-"))
        assert (event.visitor, event.agent) == (live.visitor, live.agent)


@pytest.mark.parametrize(
    ("request_line", "changes", "page"),
    [
        ("GET / HTTP/1.1", {}, True),
        ("GET / HTTP/1.1", {"status": 304}, True),
        ("GET /", {}, True),
        ("GET /products/?page=2 HTTP/3.0", {}, True),
        ("GET https://www.example.org/products/ HTTP/1.1", {}, True),
        ("GET / HTTP/1.1", {"status": 302}, False),
        ("GET / HTTP/1.1", {"status": 500}, False),
        ("HEAD / HTTP/1.1", {}, False),
        ("POST / HTTP/1.1", {}, False),
        ("GET /price-list.csv HTTP/1.1", {}, False),
        ("GET /nowhere/ HTTP/1.1", {}, False),
    ],
)
def test_what_is_a_page(request_line, changes, page):
    assert read(line(request=request_line, **changes)).page is page


@pytest.mark.parametrize(
    "request_line",
    [
        "",
        "-",
        "PRI * HTTP/2.0",
        r"\x16\x03\x01\x00",
        "GET",
        "CONNECT example.org:443 HTTP/1.1",
        "GET /healthz HTTP/1.1",
        "GET /static/x.css HTTP/1.1",
    ],
)
def test_what_is_ignored(request_line):
    assert reader("/static/")(line(request=request_line, status=400)) is None


@pytest.fixture
def prefix():
    set_script_prefix("/shop/")
    yield
    set_script_prefix("/")


@pytest.mark.usefixtures("prefix")
def test_a_site_below_a_prefix_ignores_and_resolves_what_is_inside():
    find = reader("/static/")
    assert find(line(request="GET /shop/static/x.css HTTP/1.1")) is None
    assert find(line(request="GET /shop/healthz HTTP/1.1")) is None
    assert find(line(request="GET /shop/products/ HTTP/1.1")).route == "/products/"


@pytest.mark.parametrize(
    ("request_line", "route"),
    [
        ("GET /products/caf%C3%A9/ HTTP/1.1", ""),
        ("GET /products/%ff%fe/ HTTP/1.1", ""),
        ("GET /products/a%2Db/ HTTP/1.1", "/products/<slug:slug>/"),
        ("OPTIONS * HTTP/1.1", ""),
        ("GET //products/ HTTP/1.1", ""),
        ("GET /" + "x" * 20_000 + " HTTP/1.1", ""),
    ],
)
def test_paths_are_resolved_as_django_does_it(request_line, route):
    assert read(line(request=request_line)).route == route


@pytest.mark.parametrize(
    ("referrer", "source"),
    [
        ("https://www.example.org/cart/", ""),
        ("https://WWW.example.org:8443/", ""),
        ("https://example.net:8443/x", "example.net:8443"),
        ("https://user:word@example.net/", "example.net"),
        ("android-app://com.example", ""),
        (r"https://example.net/\x22\"", "example.net"),
        ("https://example.net/" + "x" * 5_000, "example.net"),
    ],
)
def test_of_a_referrer_the_host_is_read(referrer, source):
    assert read(line(referrer=referrer)).referrer == source


def test_own_hosts_may_be_whole_domains_but_not_all():
    text = line(referrer="https://shop.example.org/")
    assert read(text, own=(".example.org",)).referrer == ""
    assert read(text, own=("*",)).referrer == "shop.example.org"


@pytest.mark.parametrize(
    ("zone", "hour"), [("+0000", 10), ("+0530", 4.5), ("-0330", 13.5)]
)
def test_the_zone_of_a_line_counts(zone, hour):
    event = read(line().replace("+0000", zone))
    moment = datetime.datetime.fromtimestamp(event.time / 1000, datetime.UTC)
    assert moment.hour + moment.minute / 60 == hour


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("02/Mar/2026", "31/Feb/2026", "its date does not exist"),
        ("02/Mar/2026", "02/Foo/2026", "its date does not exist"),
        (":10:00:00", ":25:00:00", "its date does not exist"),
        ("2026", "1970", "its date is before the year 2000"),
        ("2026", "0000", "its date does not exist"),
        ("2026", "9999", "its date lies in the future"),
        (" 200 ", " 999 ", "its status is 999"),
        (" 200 ", " 000 ", "its status is 000"),
        ('"GET', "GET", "it has no known format"),
    ],
)
def test_what_cannot_be_read_has_a_reason(old, new, why):
    assert reason(line().replace(old, new)) == why


def test_a_line_may_be_too_long():
    assert reason(line(agent="x" * 70_000)) == "it is longer than 65536 bytes"


def test_other_formats_are_read_in_between():
    chosen = reader(name="combined")
    for name, text in EXAMPLES.items():
        if name != "combined_more":
            assert chosen(text).route == "/products/"
    with pytest.raises(Unreadable):
        chosen(EXAMPLES["combined_more"])


def test_text_is_clean():
    event = read(line(agent=r"a\x1b[31m\x00b", request=r"GET /\x1b HTTP/1.1"))
    assert event.agent == "a[31mb"
