"""Whole dimensions in one answer: the same numbers as in pages, and flat memory."""

import datetime
import json
import tracemalloc
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry

from analytics.api import long, streams
from analytics.reporting import periods, queries, ranking
from analytics.rollup.buckets import Grain
from analytics.rollup.fold import Measures
from analytics.rollup.store import save_rows
from tests.analytics.api.test_numbers import (
    ROOT,
    VIEW,
    rounded,
    today,  # noqa: F401
    traffic,  # noqa: F401
)
from tests.api.calling import (
    FORMATS,
    as_shown,
    body,
    caller,
    decoded,
    person,
    send,
)

pytestmark = pytest.mark.django_db
EXPORT = "analytics.export_rollup"
DOORS = ("keys/?dimension=route", "key-series/?dimension=route&measure=requests")
DAY = 86_400


@pytest.fixture
def api(db):
    return caller(person(VIEW, EXPORT), scopes=("analytics:read",))


def answered(api, address: str) -> dict:
    response = send(api, "get", ROOT + address)
    assert response.status_code == 200, response.content
    return json.loads(b"".join(response.streaming_content))


def test_all_keys_are_those_of_all_pages(api, monkeypatch):
    monkeypatch.setattr(ranking, "BATCH_ROWS", 2)
    words = "dimension=route&by=requests&audience=all&range=90&compare=year"
    found = answered(api, f"keys/?{words}")
    pages = [
        send(api, "get", f"{ROOT}top/?{words}&page_size=3&page={page}").json()
        for page in (1, 2)
    ]
    assert found["results"] == [row for page in pages for row in page["results"]]
    assert len(found["results"]) == 4
    alike = set(found) - {"results"}
    assert {name: found[name] for name in alike} == {
        name: pages[0][name] for name in alike
    }
    (row,) = answered(api, "keys/?dimension=route&q=list")["results"]
    assert row["key"] == "/list/"


@pytest.mark.parametrize("measure", ["views", "visitors", "error_rate", "p95"])
def test_the_series_of_all_keys_are_those_of_each(api, measure, monkeypatch):
    monkeypatch.setattr(ranking, "BATCH_ROWS", 3)
    words = f"dimension=route&measure={measure}&audience=all&range=30"
    found = answered(api, f"key-series/?{words}")
    keys = {row["key"] for row in found["results"]}
    assert len(keys) == 4
    for key in keys:
        shown = {r["start"]: r["value"] for r in found["results"] if r["key"] == key}
        one = api.get(f"{ROOT}series/?{words}&{urlencode({'key': key})}")
        expected = {row["start"]: row["value"] for row in one.json()["results"]}
        assert shown.items() <= expected.items()
        rest = {expected[start] for start in expected.keys() - shown.keys()}
        assert not {value for value in rest if value}
    assert found["grain"] == "day"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("door", DOORS)
def test_every_format_has_the_same_object(api, door, format):
    plain = decoded(send(api, "get", ROOT + door))
    response = send(api, "get", ROOT + door, accept=format)
    assert response.streaming is (format in ("csv", "json"))
    shown = decoded(response)
    expected = as_shown(plain, format)
    assert expected
    if format == "xlsx":
        assert rounded(shown) == rounded(expected)
    else:
        assert shown == expected


def test_a_stream_is_the_csv_that_pages_have(api):
    words = "dimension=route&audience=all"
    page = send(api, "get", f"{ROOT}top/?{words}", accept="csv")
    stream = send(api, "get", f"{ROOT}keys/?{words}", accept="csv")
    assert body(stream) == page.content


@pytest.mark.parametrize("door", DOORS)
def test_nothing_found_is_an_answer_without_rows(api, door):
    found = answered(api, f"{door}&from=2020-01-01&to=2020-01-02")
    assert found["results"] == []
    table = send(api, "get", f"{ROOT}{door}&from=2020-01-01&to=2020-01-02&format=csv")
    assert body(table).count(b"\r\n") == 1


@pytest.mark.parametrize("door", DOORS)
def test_other_formats_have_a_bound(api, door, monkeypatch):
    monkeypatch.setattr(streams, "MOST_ROWS", 1)
    problem = send(api, "get", f"{ROOT}{door}&format=xlsx")
    assert (problem.status_code, problem["Content-Type"]) == (400, FORMATS["xlsx"])
    plain = send(api, "get", f"{ROOT}{door}&format=yaml")
    assert "take csv or json" in decoded(plain)["errors"]["format"][0]["message"]
    assert len(answered(api, door)["results"]) > 1
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize(
    "question",
    [
        "keys/?range=ever",
        "keys/?page=2",
        "keys/?key=x",
        "keys/?by=bytes",
        "key-series/?dimension=status&measure=visitors",
        "key-series/?dimension=nothing",
        "key-series/?q=x",
    ],
)
@pytest.mark.parametrize("format", ["json", "csv"])
def test_what_fails_before_the_first_byte_is_a_problem(api, question, format):
    response = send(api, "get", ROOT + question, accept=format)
    assert response.status_code == 400
    assert decoded(response)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("door", DOORS)
def test_it_needs_the_permission_to_export_and_is_logged(api, door):
    viewer = caller(person(VIEW, name="viewer"), scopes=("analytics:read",))
    assert send(viewer, "get", ROOT + door).status_code == 403
    exporter = caller(person(EXPORT, name="exporter"), scopes=("analytics:read",))
    assert send(exporter, "get", ROOT + door).status_code == 403
    head = send(api, "head", ROOT + door)
    assert (head.status_code, body(head)) == (200, b"")
    assert not LogEntry.objects.exists()
    answered(api, door)
    entry = LogEntry.objects.get()
    assert "dimension=route" in entry.change_message
    assert entry.user.username == "clerk"


@pytest.mark.parametrize("format", streams.CHUNKS)
@pytest.mark.parametrize("view", [long.OfKeys, long.OfKeySeries])
def test_memory_does_not_grow_with_the_rows(site, view, format):
    start = int(datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC).timestamp())
    whole = {
        ("route", grain, start + DAY * (n // 4_000), f"/k{n}/", 0): Measures(
            views=n + 1
        )
        for n in range(12_000)
        for grain in (Grain.HOUR, Grain.DAY)
    }
    save_rows("test", whole)
    whole.clear()
    _, chunks = streams.CHUNKS[format]

    def peak_of(to: int, rows: int) -> int:
        words = {"dimension": "route", "from": "2026-11-01", "to": f"2026-11-0{to}"}
        _, _, batches = view().answer(words)
        columns = list(view.serializer_class().fields["results"].child.fields)
        tracemalloc.start()
        try:
            made = chunks({"site": "test"}, columns, batches)
            assert sum(chunk.count(b"/k") for chunk in made) >= rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # The first time, what is made only once comes on top.
    peak_of(1, 4_000)
    assert peak_of(3, 12_000) < 1.4 * peak_of(1, 4_000)


@pytest.mark.parametrize("door", DOORS)
def test_queries_do_not_grow_with_the_time(api, door, django_assert_max_num_queries):
    answered(api, door)
    with django_assert_max_num_queries(9):
        answered(api, f"{door}&range=year")


def test_every_series_refuses_measures_that_are_none(db, site):
    with pytest.raises(queries.UnknownName):
        list(
            queries.every_series(
                dimension="route", period=periods.last_days(7), measure="x"
            )
        )


@pytest.mark.parametrize("door", DOORS)
def test_a_link_on_another_site_takes_nothing_in_somebodys_name(db, door):
    user = person(VIEW, EXPORT)
    crossed = {"Sec-Fetch-Site": "cross-site"}
    answers = [
        send(client, "get", ROOT + door, **crossed).status_code
        for client in (
            caller(user, "session"),
            caller(user, scopes=("analytics:read",)),
        )
    ]
    assert answers == [403, 200]
    assert LogEntry.objects.count() == 1
