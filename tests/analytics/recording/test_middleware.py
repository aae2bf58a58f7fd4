"""One event for each request under WSGI, and in it what the request was."""

import gzip
import time
from types import SimpleNamespace
from wsgiref.util import FileWrapper

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import MiddlewareNotUsed
from django.core.handlers.wsgi import WSGIHandler
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from analytics.recording import middleware
from analytics.recording.event import KWARG_LIMIT, NOBODY
from analytics.recording.middleware import (
    AnalyticsMiddleware,
    get_recorder,
    is_page,
    loaded_user,
)
from analytics.rollup import dimensions
from analytics.rollup.dimensions import Dimension
from tests.analytics.recording import site
from tests.analytics.recording.site import CHUNKS, LONG, browser
from tests.analytics.recording.test_country import database

UNHAPPY = "tests.analytics.recording.site.Unhappy"


def serve(path, method="GET", **environ):
    """What a WSGI server gets: the status, the headers and the body to iterate."""
    started = []

    def start_response(status, headers):
        started.append((status, dict(headers)))

    environ = RequestFactory().generic(method, path, **environ).environ
    body = WSGIHandler()(environ, start_response)
    return *started[0], body


@pytest.mark.parametrize(
    ("method", "path", "status", "route"),
    [
        ("get", "/ok/", 200, "/ok/"),
        ("get", "/async/ok/", 200, "/async/ok/"),
        ("post", "/answer/", 200, "/^answer/"),
        ("patch", "/answer/", 200, "/^answer/"),
        ("put", "/answer/", 200, "/^answer/"),
        ("delete", "/answer/", 200, "/^answer/"),
        ("options", "/answer/", 200, "/^answer/"),
        ("get", "/empty/", 204, "/empty/"),
        ("get", "/redirect/", 302, "/redirect/"),
        ("get", "/absent/", 404, "/absent/"),
        ("get", "/nowhere/at/all/", 404, ""),
        ("post", "/get/", 403, "/get/"),
        ("put", "/get/", 403, "/get/"),
        ("get", "/ok", 301, ""),
        ("get", "/boom/", 500, "/boom/"),
        ("get", "/async/boom/", 500, "/async/boom/"),
        ("get", "/status/418/", 418, "/status/<int:code>/"),
        ("get", "/status/503/", 503, "/status/<int:code>/"),
    ],
)
def test_every_request_is_one_event(recorded, method, path, status, route):
    client = browser()
    if status == 403:
        client.handler.enforce_csrf_checks = True
    assert getattr(client, method)(path).status_code == status
    event = recorded.event()
    assert (event.method, event.status) == (method.upper(), status)
    assert event.route == route


def test_a_method_that_is_not_allowed(recorded):
    assert browser().post("/get/").status_code == 405
    assert recorded.event().status == 405


def test_not_modified(recorded):
    answer = browser(if_none_match='"1"', accept="text/html").get("/etag/")
    event = recorded.event()
    assert answer.status_code == event.status == 304
    assert (event.bytes, event.page) == (0, True)


def test_a_redirect_to_https(recorded, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert browser().get("/ok/").status_code == 301
    assert (recorded.event().status, recorded.event().route) == (301, "")


def test_a_host_that_is_not_ours(recorded, settings):
    settings.ALLOWED_HOSTS = ["example.org"]
    assert browser(host="evil.example.com").get("/ok/").status_code == 400
    assert (recorded.event().status, recorded.event().host) == (400, "")


def test_a_sequence_of_requests_is_a_sequence_of_offsets(recorded):
    client = browser()
    for path in ("/ok/", "/absent/", "/boom/", "/stream/", "/ok"):
        b"".join(client.get(path))
    assert recorded.offsets == 5
    assert [e.status for e in recorded.events()] == [200, 404, 500, 200, 301]


# Exceptions.


@pytest.mark.parametrize("path", ["/boom/", "/async/boom/"])
def test_an_exception_of_a_view_is_named_once(recorded, path):
    assert browser().get(path).status_code == 500
    event = recorded.event()
    assert (event.status, event.exception, event.page) == (500, UNHAPPY, False)


def test_an_exception_of_an_inner_middleware(recorded, settings):
    settings.MIDDLEWARE.append(f"{site.__name__}.Raising")
    assert browser().get("/ok/").status_code == 500
    event = recorded.event()
    assert (event.exception, event.route) == (UNHAPPY, "/ok/")


def test_an_exception_that_passes_everybody(recorded, settings):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    with pytest.raises(site.Unhappy):
        serve("/boom/")
    event = recorded.event()
    assert (event.status, event.exception) == (500, UNHAPPY)


def test_the_time_out_of_a_worker(recorded):
    with pytest.raises(SystemExit):
        serve("/timeout/")
    event = recorded.event()
    assert (event.status, event.exception) == (500, "SystemExit")


def test_404_and_400_are_no_exceptions(recorded):
    browser().get("/absent/")
    assert recorded.event().exception == ""


# Streams and files.


def test_a_stream_is_recorded_before_the_server_tells_its_end(recorded):
    status, _, body = serve("/stream/")
    assert status == "200 OK"
    chunks = iter(body)
    assert [next(chunks) for _ in CHUNKS] == list(CHUNKS)
    assert recorded.offsets == 0
    assert next(chunks, None) is None
    assert recorded.event().bytes == len(b"".join(CHUNKS))
    body.close()
    assert recorded.offsets == 1


def test_a_stream_of_known_length_is_recorded_with_its_last_chunk(recorded):
    *_, body = serve("/sized/")
    chunks = iter(body)
    for _ in CHUNKS[1:]:
        next(chunks)
    assert recorded.offsets == 0
    next(chunks)
    assert recorded.event().bytes == len(b"".join(CHUNKS))


def test_a_stream_closed_twice_is_one_event(recorded):
    *_, body = serve("/stream/")
    list(body)
    body.close()
    body.close()
    assert recorded.event().status == 200


def test_a_stream_that_nobody_read(recorded):
    *_, body = serve("/stream/")
    body.close()
    assert recorded.event().bytes == 0


def test_a_stream_whose_client_left_counts_what_was_sent(recorded):
    *_, body = serve("/stream/")
    next(iter(body))
    body.close()
    assert recorded.event().bytes == len(CHUNKS[0])


def test_a_stream_that_raises_half_way(recorded):
    *_, body = serve("/broken/")
    with pytest.raises(site.Unhappy):
        list(body)
    body.close()
    event = recorded.event()
    assert (event.status, event.exception) == (200, UNHAPPY)
    assert event.bytes == len(CHUNKS[0])


def test_the_duration_of_a_stream_ends_when_it_is_closed(recorded):
    *_, body = serve("/stream/")
    started = time.perf_counter_ns()
    while time.perf_counter_ns() - started < 20_000_000:
        pass
    body.close()
    assert recorded.event().duration >= 20_000


def test_a_file_reaches_the_server_as_a_file(recorded):
    status, _, body = serve("/file/", **{"wsgi.file_wrapper": FileWrapper})
    assert status == "200 OK"
    assert isinstance(body, FileWrapper)
    assert body.filelike.fileno() >= 0
    assert b"".join(body) == LONG
    assert recorded.offsets == 0
    body.close()
    assert recorded.event().bytes == len(LONG)
    assert body.filelike.closed


def test_a_file_for_a_server_without_sendfile(recorded):
    *_, body = serve("/buffer/")
    assert body.file_to_stream is not None
    assert b"".join(body) == LONG
    body.close()
    assert recorded.event().bytes == len(LONG)


def test_a_file_response_of_chunks_is_counted(recorded):
    response = FileResponse(iter(CHUNKS))
    recorded_through(lambda request: response)
    assert b"".join(response) == b"".join(CHUNKS)
    response.close()
    assert recorded.event().bytes == len(b"".join(CHUNKS))


def test_closing_a_response_still_closes_what_it_holds(recorded):
    closed = []
    response = StreamingHttpResponse(iter(CHUNKS))
    response._resource_closers.append(lambda: closed.append(True))
    recorded_through(lambda request: response)
    response.close()
    assert closed == [True]


@pytest.mark.parametrize("path", ["/ok/", "/stream/", "/file/"])
def test_head_has_no_body(recorded, path):
    answer = browser().head(path)
    answer.close()
    event = recorded.event()
    assert (event.method, event.bytes, event.page) == ("HEAD", 0, False)


def test_bytes_are_those_after_compression(recorded):
    answer = browser(accept_encoding="gzip").get("/long/")
    assert gzip.decompress(answer.content) == LONG
    assert recorded.event().bytes == len(answer.content) < len(LONG)


# The fields.


def test_when_and_for_how_long(recorded):
    before = time.time_ns() // 1_000_000
    browser().get("/ok/")
    event = recorded.event()
    assert before <= event.time <= time.time_ns() // 1_000_000
    assert 0 < event.duration < 60_000_000


def test_the_clock_may_be_set_back_during_a_request(recorded, monkeypatch):
    times = iter((2_000_000_000_000_000_000, 0, 0))
    monkeypatch.setattr(middleware, "time_ns", lambda: next(times))
    browser().get("/ok/")
    event = recorded.event()
    assert event.time == 2_000_000_000_000
    assert 0 < event.duration < 60_000_000


@pytest.fixture
def things(monkeypatch):
    """A dimension that wants to know the slug of a thing, not its number."""
    thing = Dimension(
        name="thing",
        label="Thing",
        key=lambda event: event.kwargs.get("slug"),
        kwargs={"shop:thing": ("slug", "colour")},
    )
    built_in = (*dimensions.BUILT_IN, thing)
    monkeypatch.setattr(dimensions, "BUILT_IN", built_in)
    dimensions.get_dimensions.cache_clear()
    yield
    dimensions.get_dimensions.cache_clear()


def test_only_declared_kwargs_are_recorded(recorded, things):
    browser().get("/shop/red-chair/7/")
    event = recorded.event()
    assert event.route == "/shop/<slug:slug>/<int:number>/"
    assert event.view == "shop:thing"
    assert event.kwargs == {"slug": "red-chair"}


def test_nothing_declared_nothing_recorded(recorded):
    browser().get("/shop/red-chair/7/")
    assert recorded.event().kwargs == {}


def test_a_long_argument_is_cut(recorded, things):
    browser().get(f"/shop/{'x' * 1000}/7/")
    assert recorded.event().kwargs == {"slug": "x" * KWARG_LIMIT}


def test_the_first_language_and_the_agent(recorded):
    browser(accept_language="de-AT;q=0.9,en", user_agent="Moz/5").get("/ok/")
    event = recorded.event()
    assert (event.language, event.agent) == ("de-at", "Moz/5")


def test_the_referrer_is_recorded(recorded):
    browser(referer="https://news.example.com/secret?secret").get("/ok/")
    assert recorded.event().referrer == "news.example.com"


def test_the_own_host_refers_to_nobody(recorded):
    browser(referer="http://testserver/in/", host="testserver").get("/ok/")
    assert recorded.event().referrer == ""


# Where from, and what was asked.


def test_the_host_is_recorded_without_its_port(recorded):
    browser(host="TestServer:8000").get("/ok/")
    assert recorded.event().host == "testserver"


def test_a_host_that_a_trusted_proxy_was_asked_for_is_ours(recorded, settings):
    settings.USE_X_FORWARDED_HOST = True
    settings.ALLOWED_HOSTS = ["shop.example.org"]
    words = {"host": "app:8000", "x_forwarded_host": "shop.example.org"}
    browser(referer="https://shop.example.org/in/", **words).get("/ok/")
    assert (recorded.event().host, recorded.event().referrer) == (
        "shop.example.org",
        "",
    )


def test_nobody_is_believed_to_be_a_proxy(recorded):
    browser(host="testserver", x_forwarded_host="evil.example.com").get("/ok/")
    assert recorded.event().host == "testserver"


def test_the_campaign_is_all_that_is_kept_of_a_query(recorded):
    query = "?utm_source=news&utm_medium=mail&utm_campaign=spring&token=secret"
    browser().get(f"/ok/{query}")
    event = recorded.event()
    assert event.campaign == "news / mail / spring"
    assert "secret" not in str(event)


def test_the_country_is_what_the_own_proxy_says(recorded, settings):
    settings.ANALYTICS_COUNTRY_HEADER = "CF-IPCountry"
    browser(cf_ipcountry="at").get("/ok/")
    assert recorded.event().country == "AT"


def test_without_a_trusted_header_nobody_is_believed(recorded):
    browser(cf_ipcountry="at").get("/ok/")
    assert recorded.event().country == ""


def test_the_country_of_an_address(recorded, settings, tmp_path):
    settings.ANALYTICS_COUNTRY_DATABASE = str(database(tmp_path))
    browser().get("/ok/", REMOTE_ADDR="192.0.2.7")
    assert recorded.event().country == "AT"


def test_the_address_tells_the_country_where_the_proxy_does_not(
    recorded, settings, tmp_path
):
    settings.ANALYTICS_COUNTRY_DATABASE = str(database(tmp_path))
    settings.ANALYTICS_COUNTRY_HEADER = "CF-IPCountry"
    browser(cf_ipcountry="XX").get("/ok/", REMOTE_ADDR="192.0.2.7")
    assert recorded.event().country == "AT"


def test_a_missing_file_of_countries_stops_nothing(recorded, settings, caplog):
    settings.ANALYTICS_COUNTRY_DATABASE = "/nowhere/country.mmdb"
    browser().get("/ok/")
    assert recorded.event().country == ""
    assert "Countries are not recorded" in caplog.text


def test_paths_are_recorded_only_when_asked_for(recorded):
    browser().get("/ok/")
    assert recorded.event().path == ""


def test_the_path_has_no_query(recorded, settings):
    settings.ANALYTICS_RECORD_PATHS = True
    browser().get("/status/418/?token=secret")
    assert recorded.event().path == "/status/418/"


@pytest.mark.parametrize("signal", ["dnt", "sec_gpc"])
def test_who_asks_not_to_be_followed(recorded, settings, signal):
    settings.ANALYTICS_HONOUR_DNT = True
    settings.ANALYTICS_COUNTRY_HEADER = "CF-IPCountry"
    headers = {"referer": "https://news.example.com/", "accept_language": "de"}
    headers |= {"cf_ipcountry": "AT", "user_agent": "Moz/5", signal: "1"}
    browser(**headers).get("/ok/?utm_source=x")
    event = recorded.event()
    found = (event.visitor, event.referrer, event.campaign, event.language)
    assert (*found, event.country) == (NOBODY, "", "", "", "")
    assert (event.route, event.agent, event.status) == ("/ok/", "Moz/5", 200)


@pytest.mark.parametrize("signal", ["dnt", "sec_gpc"])
def test_who_asks_not_to_be_followed_is_no_user(recorded, settings, ada, signal):
    settings.ANALYTICS_HONOUR_DNT = settings.ANALYTICS_RECORD_USERS = True
    client = browser(**{signal: "1"})
    client.force_login(ada)
    client.get("/greet/")
    event = recorded.event()
    assert (event.user, event.staff) == ("", True)


def test_that_signal_means_nothing_unless_honoured(recorded):
    browser(dnt="1").get("/ok/")
    assert recorded.event().visitor != NOBODY


# Views.


def page_of(path="/ok/", method="get", response=None, **headers) -> bool:
    request = getattr(RequestFactory(headers=headers), method)(path)
    return is_page(request, response or HttpResponse())


@pytest.mark.parametrize(
    ("expected", "method", "response", "headers"),
    [
        (True, "get", HttpResponse(), {}),
        (True, "get", HttpResponse(status=203), {}),
        (True, "get", HttpResponse(content_type="text/html; charset=utf-8"), {}),
        (True, "get", StreamingHttpResponse(), {}),
        (True, "get", HttpResponse(), {"sec-fetch-dest": "document"}),
        (True, "get", HttpResponse(), {"sec-purpose": "other"}),
        (False, "head", HttpResponse(), {}),
        (False, "post", HttpResponse(), {}),
        (False, "get", HttpResponse(status=302), {}),
        (False, "get", HttpResponse(status=404), {}),
        (False, "get", HttpResponse(status=500), {}),
        (False, "get", HttpResponse(content_type="application/json"), {}),
        (False, "get", HttpResponse(content_type="text/plain"), {}),
        (False, "get", HttpResponse(content_type=""), {}),
        (False, "get", HttpResponse(), {"sec-purpose": "prefetch"}),
        (False, "get", HttpResponse(), {"sec-purpose": "prefetch;prerender"}),
        (False, "get", HttpResponse(), {"sec-fetch-dest": "empty"}),
        (False, "get", HttpResponse(), {"sec-fetch-dest": "iframe"}),
        (False, "get", HttpResponse(), {"sec-fetch-dest": "image"}),
        (False, "get", HttpResponse(), {"hx-request": "true"}),
        (False, "get", HttpResponse(), {"x-requested-with": "XMLHttpRequest"}),
    ],
)
def test_what_is_a_page(expected, method, response, headers):
    assert page_of(method=method, response=response, **headers) is expected


@pytest.mark.parametrize(
    ("expected", "headers"),
    [
        (True, {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}),
        (False, {"accept": "*/*"}),
        (False, {"accept": "application/json"}),
        (False, {}),
        (False, {"accept": "text/html", "sec-fetch-dest": "empty"}),
    ],
)
def test_not_modified_is_what_the_browser_wants_to_see(expected, headers):
    response = HttpResponse(status=304)
    del response["Content-Type"]
    assert page_of(response=response, **headers) is expected


# Users.


@pytest.fixture
def ada(db):
    return get_user_model().objects.create_user("ada", password="secret", is_staff=True)


def test_a_user_is_not_recorded_when_switched_off(recorded, settings, ada):
    settings.ANALYTICS_RECORD_USERS = False
    client = browser()
    client.force_login(ada)
    client.get("/greet/")
    event = recorded.event()
    assert (event.user, event.staff) == ("", True)


@pytest.mark.parametrize("path", ["/greet/", "/async/greet/"])
def test_a_user_that_the_view_loaded(recorded, settings, ada, path):
    settings.ANALYTICS_RECORD_USERS = True
    client = browser()
    client.force_login(ada)
    client.get(path)
    event = recorded.event()
    assert (event.user, event.staff) == (str(ada.pk), True)


def test_a_user_that_nobody_loaded_stays_unknown(
    recorded, settings, ada, django_assert_num_queries
):
    settings.ANALYTICS_RECORD_USERS = True
    client = browser()
    client.force_login(ada)
    with django_assert_num_queries(0):
        answer = client.get("/ok/")
    event = recorded.event()
    assert (event.user, event.staff) == ("", False)
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.wsgi_request.session.accessed


def test_a_login_belongs_to_who_logs_in_and_a_logout_to_nobody(recorded, settings, ada):
    settings.ANALYTICS_RECORD_USERS = True
    client = browser()
    client.post("/in/")
    client.get("/out/")
    assert [event.user for event in recorded.events()] == [str(ada.pk), ""]


def test_a_visitor_without_a_session(recorded, settings):
    settings.ANALYTICS_RECORD_USERS = True
    browser().get("/greet/")
    assert (recorded.event().user, recorded.event().staff) == ("", False)


@pytest.mark.parametrize(
    "user", ["a name", object(), SimpleNamespace(is_authenticated=True)]
)
def test_a_user_of_the_project_s_own_making_costs_no_event(recorded, user):
    request = RequestFactory().get("/ok/")
    request.user = user
    recorded_through(lambda request: HttpResponse(), request)
    assert (recorded.event().user, recorded.event().staff) == ("", False)


def test_looking_for_the_user_loads_nobody():
    def load():
        raise AssertionError("loaded")

    request = HttpRequest()
    request.user = SimpleLazyObject(load)
    assert loaded_user(request) == ("", False)


@pytest.mark.parametrize("path", ["/ok/", "/greet/", "/absent/", "/boom/", "/ok"])
def test_the_answer_is_the_same_without_us(recorded, settings, ada, path):
    with_us = browser().get(path)
    settings.MIDDLEWARE = settings.MIDDLEWARE[1:]
    without = browser().get(path)
    assert with_us.status_code == without.status_code
    assert with_us.content == without.content
    assert dict(with_us.items()) == dict(without.items())
    assert recorded.offsets == 1


# Visitors.


def visitor_of(recorded, agent="Moz/5", address="192.0.2.1", **environ) -> int:
    before = recorded.offsets
    client = browser(user_agent=agent)
    client.get("/ok/", REMOTE_ADDR=address, **environ)
    return recorded.events()[before].visitor


def test_a_visitor_is_an_address_and_an_agent(recorded):
    ada = visitor_of(recorded)
    assert visitor_of(recorded) == ada
    assert visitor_of(recorded, agent="Moz/6") != ada
    assert visitor_of(recorded, address="192.0.2.2") != ada


def test_a_visitor_by_ipv6_is_a_network(recorded):
    ada = visitor_of(recorded, address="2001:db8:0:1::1")
    assert visitor_of(recorded, address="2001:db8:0:1:ffff::2") == ada
    assert visitor_of(recorded, address="2001:db8:0:2::1") != ada


def test_without_own_proxies_x_forwarded_for_is_hearsay(recorded):
    ada = visitor_of(recorded)
    for number in range(5):
        spoofed = f"198.51.100.{number}"
        assert visitor_of(recorded, HTTP_X_FORWARDED_FOR=spoofed) == ada


def test_with_one_proxy_only_the_hop_it_added_counts(recorded, settings):
    settings.ANALYTICS_PROXIES = 1
    proxy = "203.0.113.9"
    real = visitor_of(recorded, address="198.51.100.7")
    for spoofed in ("", "192.0.2.1, ", "junk, ", "x" * 10_000 + ", ", "::1,,,"):
        header = f"{spoofed}198.51.100.7"
        found = visitor_of(recorded, address=proxy, HTTP_X_FORWARDED_FOR=header)
        assert found == real


def test_an_unreadable_hop_falls_back_to_the_proxy(recorded, settings):
    settings.ANALYTICS_PROXIES = 1
    proxy = visitor_of(recorded)
    for header in ("junk", "x" * 10_000, "1.2.3", "1_0.0.0.1", ",", "\u0661.2.3.4"):
        assert visitor_of(recorded, HTTP_X_FORWARDED_FOR=header) == proxy


@pytest.mark.parametrize(
    ("period", "same", "other"),
    [
        ("stable", "2026-01-31", None),
        ("month", "2026-01-31", "2026-02-01"),
        ("day", "2026-01-30", "2026-01-31"),
    ],
)
def test_the_period_of_a_visitor(recorded, settings, monkeypatch, period, same, other):
    settings.ANALYTICS_VISITOR_PERIOD = period
    today = "2026-01-30"

    def visitor_on(day: str) -> int:
        now = time.strptime(f"{day} 12", "%Y-%m-%d %H")
        ns = int(time.mktime(now)) * 10**9
        monkeypatch.setattr(middleware, "time_ns", lambda: ns)
        return visitor_of(recorded)

    ada = visitor_on(today)
    assert visitor_on(same) == ada
    if other:
        assert visitor_on(other) != ada


# Settings.


def test_ignored_paths_leave_nothing(recorded):
    assert browser().get("/ignored/").status_code == 200
    assert browser().get("/ignored/more").status_code == 404
    assert recorded.offsets == 0


def test_nothing_is_ignored_when_the_list_is_empty(recorded, settings):
    settings.ANALYTICS_IGNORE = ()
    browser().get("/ignored/")
    assert recorded.event().route == "/ignored/"


def test_a_test_suite_is_not_recorded_unless_it_asks(recorded, settings):
    settings.ANALYTICS_RECORD_IN_TESTS = False
    with pytest.raises(MiddlewareNotUsed):
        AnalyticsMiddleware(lambda request: HttpResponse())
    assert browser().get("/ok/").status_code == 200
    assert recorded.offsets == 0
    assert not recorded.root.exists()


# What goes wrong inside stays inside.


def recorded_through(get_response, request=None):
    return AnalyticsMiddleware(get_response)(request or RequestFactory().get("/ok/"))


def assert_missed(recorded, reason: str) -> None:
    """An offset is used up, nothing is under it, and a counter says why."""
    assert recorded.offsets == 1
    assert recorded.events() == []
    assert recorded.recorder.counters[reason] == 1


class BrokenContent(HttpResponse):
    @property
    def content(self):
        raise Unreadable


class Unreadable(Exception):
    pass


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (None, "event: AttributeError"),
        (object(), "event: AttributeError"),
        (BrokenContent.__new__(BrokenContent), "event: Unreadable"),
    ],
)
def test_an_odd_response_passes(recorded, response, reason):
    assert recorded_through(lambda request: response) is response
    assert_missed(recorded, reason)


def test_an_odd_status_passes(recorded):
    response = HttpResponse()
    response.status_code = "fine"
    assert recorded_through(lambda request: response) is response
    assert_missed(recorded, "event: TypeError")


def test_a_stream_with_an_odd_length_passes(recorded):
    response = StreamingHttpResponse(iter(CHUNKS))
    response.file_to_stream = object()
    response["Content-Length"] = "many"
    assert recorded_through(lambda request: response) is response
    assert_missed(recorded, "event: ValueError")
    assert b"".join(response) == b"".join(CHUNKS)
    response.close()
    assert recorded.offsets == 1


class Match:
    """A resolver match as no resolver makes it."""

    route = "odd/"
    kwargs = {}

    def __init__(self, view_name):
        self.view_name = view_name


def broken_request(**attributes) -> HttpRequest:
    request = RequestFactory().get("/ok/")
    for name, value in attributes.items():
        setattr(request, name, value)
    return request


BROKEN = [
    ({"META": None}, "event: AttributeError"),
    ({"META": {"HTTP_USER_AGENT": 7}}, "event: TypeError"),
    ({"META": {"HTTP_REFERER": 7}}, "event: AttributeError"),
    ({"resolver_match": Match(["a", "list"])}, "event: TypeError"),
    ({"resolver_match": Match(7)}, "event: TypeError"),
    ({"resolver_match": object()}, "event: AttributeError"),
]


@pytest.mark.parametrize(("attributes", "reason"), BROKEN)
def test_a_broken_request_is_answered(recorded, attributes, reason):
    request = broken_request(**attributes)
    response = HttpResponse()
    assert recorded_through(lambda request: response, request) is response
    assert_missed(recorded, reason)


@pytest.mark.parametrize(("attributes", "reason"), BROKEN)
def test_a_broken_request_that_raises(recorded, attributes, reason):
    def get_response(request):
        raise site.Unhappy

    with pytest.raises(site.Unhappy):
        recorded_through(get_response, broken_request(**attributes))
    assert_missed(recorded, reason)


def test_a_journal_that_cannot_be_written_breaks_nothing(recorded, tmp_path):
    recorded.root.write_text("a file is in the way")
    assert browser().get("/ok/").content == b"hello"
    assert recorded.offsets == 1
    assert recorded.recorder.counters["journal: File exists"] == 1


def test_all_instances_share_one_recorder(recorded):
    browser().get("/ok/")
    browser().get("/ok/")
    assert get_recorder() is recorded.recorder
    assert recorded.offsets == 2


# Canaries.


def test_secrets_never_reach_the_journal(recorded, things, ada):
    client = browser(
        authorization="Basic canary",
        referer="https://u:canary@news.example.com/canary?canary#canary",
        x_api_key="canary",
        x_forwarded_for="198.51.100.77",
    )
    client.cookies["canary"] = "canary"
    client.get("/ok/?token=canary&email=canary@example.org", REMOTE_ADDR="192.0.2.77")
    client.post("/shop/chair/7/?token=canary", {"password": "canary"})
    client.get("/canary/nowhere/")
    files = [path.read_bytes() for path in recorded.root.rglob("*") if path.is_file()]
    assert recorded.offsets == 3
    for secret in (b"canary", b"192.0.2.77", b"198.51.100.77"):
        assert not any(secret in content for content in files)
