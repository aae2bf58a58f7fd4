"""The analytics API: the query module's numbers, in every format, for the permitted."""

import datetime
import io

import openpyxl
import pytest
from django.utils import timezone

from analytics.models import Audience
from analytics.reporting import periods, queries
from analytics.rollup.buckets import Grain
from analytics.rollup.retention import keep
from tests.analytics.reporting.traffic import counted, counted_once, some
from tests.api.calling import (
    FORMATS,
    as_shown,
    as_table,
    caller,
    decoded,
    person,
    send,
)

pytestmark = pytest.mark.django_db

NOW = datetime.datetime(2026, 11, 20, 13, 37, tzinfo=datetime.UTC)
ROOT = "/api/v1/analytics/"
VIEW = "analytics.view_rollup"
DOORS = {
    "dimensions/": 0,
    "totals/": 1,
    "comparison/": 2,
    "series/": 2,
    "percentiles/": 1,
    "histogram/": 1,
    "top/?dimension=route": 2,
}
"""Address -> SQL queries of its numbers, at most."""
ASKING = 3
"""Token and user, permissions, the retention's days."""
EVERYONE = tuple(Audience)


def two_months():
    return counted(some(3, 400, NOW - datetime.timedelta(days=60), NOW))


@pytest.fixture(scope="module")
def traffic(django_db_setup, django_db_blocker):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: NOW)
        with counted_once(django_db_blocker, two_months, "UTC") as made:
            yield made


@pytest.fixture(autouse=True)
def today(traffic, db, site, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def api(db):
    return caller(person(VIEW), scopes=("analytics:read",))


def asked(api, address: str) -> dict:
    response = send(api, "get", ROOT + address)
    assert response.status_code == 200, response.content
    return response.json()


def month():
    return periods.last_days(30)


# ── The numbers ──────────────────────────────────────────────────────────────
def test_totals_of_everything_and_of_one_key(api):
    found = asked(api, "totals/?audience=all")["totals"]
    expected = queries.totals(period=month(), audiences=EVERYONE)
    expected = {name: getattr(expected, name) for name in found}
    assert found == pytest.approx(expected, abs=0.0005)
    assert found["requests"] > 100
    one = asked(api, "totals/?dimension=route&key=/list/&range=7")["totals"]
    expected = queries.totals(
        period=periods.last_days(7), dimension="route", key="/list/"
    )
    assert (one["views"], one["p95"]) == (expected.views, expected.p95)


def test_what_was_asked_is_said_as_it_was_understood(api):
    found = asked(api, "totals/?from=2026-11-01&to=2026-11-03&audience=bots")
    assert found["period"] == {
        "first": "2026-11-01",
        "last": "2026-11-03",
        "start": "2026-11-01T00:00:00Z",
        "end": "2026-11-04T00:00:00Z",
        "running": False,
    }
    assert (found["site"], found["audience"]) == ("test", "bots")


@pytest.mark.parametrize("format", ["json", "csv"])
def test_days_begin_at_midnight_of_the_site_and_say_their_offset(api, site, format):
    """As docs/api.md tells who reads them with a spreadsheet."""
    site.TIME_ZONE = "Europe/Berlin"
    address = f"{ROOT}series/?from=2026-10-24&to=2026-10-26"
    response = send(api, "get", address, accept=format)
    starts = [row["start"] for row in as_table(decoded(response))]
    assert starts == [
        "2026-10-24T00:00:00+02:00",
        "2026-10-25T00:00:00+02:00",
        "2026-10-26T00:00:00+01:00",
    ]


def test_comparison_with_another_time(api):
    found = asked(api, "comparison/?range=7&compare=weekdays")
    period = periods.last_days(7)
    expected = queries.compare(period=period, before=period.previous("weekdays"))
    assert found["then"]["views"] == expected.then.views
    assert found["changes"]["views"] == pytest.approx(expected.changes["views"])
    assert set(found["changes"]) == set(expected.changes)


def test_behind_the_last_page_there_is_as_much_as_on_the_others(api):
    words = "top/?dimension=route&audience=all&page_size=2"
    first, behind = (asked(api, f"{words}&page={page}") for page in (1, 999))
    assert behind["results"] == []
    for name in ("total", "count", "pages"):
        assert behind[name] == first[name] > 0


@pytest.mark.parametrize("door", ["comparison/?", "top/?dimension=route&"])
def test_a_note_tells_that_what_is_compared_with_is_gone(api, door):
    keep(queries.dimension_of("total"), Grain.DAY, 400)
    keep(queries.dimension_of("route"), Grain.DAY, 400)
    days = "from=2026-09-01&to=2026-11-01"
    assert asked(api, f"{door}{days}")["note"] == ""
    note = asked(api, f"{door}{days}&compare=year")["note"]
    assert note.startswith("Days are kept for 400 days: of 1 Sep")


@pytest.mark.parametrize("door", ["comparison/?", "top/?dimension=route&"])
def test_where_the_time_before_was_cut_is_told(api, door):
    """The day is cut where the hours that are still kept allow it."""
    found = asked(api, f"{door}range=90")
    assert found["before"]["end"] == "2026-08-22T00:00:00Z"
    assert "is taken up to 22 Aug 00:00" in found["note"]


def test_series_tells_gaps_from_zeros(api):
    found = asked(api, "series/?range=90&measure=requests&audience=all")
    expected = queries.series(
        period=periods.last_days(90), measure="requests", audiences=EVERYONE
    )
    assert [row["value"] for row in found["results"]] == list(expected.values)
    gaps = [place for place, row in enumerate(found["results"]) if row["gap"]]
    assert gaps == list(expected.gaps)
    assert len(gaps) > 20
    assert found["grain"] == "day"


def test_top_keys_in_pages(api):
    first = asked(api, "top/?dimension=route&by=requests&page_size=2&audience=all")
    second = asked(
        api, "top/?dimension=route&by=requests&page_size=2&page=2&audience=all"
    )
    expected = queries.top(
        dimension="route",
        period=month(),
        audiences=EVERYONE,
        measure="requests",
        before=month().previous(),
    )
    shown = [*first["results"], *second["results"]]
    assert [row["key"] for row in shown] == [row.key for row in expected.rows]
    assert [row["before"] for row in shown] == [row.before for row in expected.rows]
    assert (first["count"], first["pages"]) == (4, 2)
    assert first["total"] == expected.total
    found = asked(api, "top/?dimension=route&q=list")
    assert [row["key"] for row in found["results"]] == ["/list/"]


def test_percentiles_and_histogram(api):
    found = asked(api, "percentiles/?ranks=50,99.9")["results"]
    expected = queries.percentiles(period=month(), ranks=(50, 99.9))
    found = {row["rank"]: row["duration"] for row in found}
    assert found == pytest.approx(expected, abs=0.0005)
    bars = asked(api, "histogram/")["results"]
    whole = queries.totals(period=month())
    assert sum(bar["requests"] for bar in bars) == whole.requests
    assert all(bar["start"] < bar["end"] for bar in bars)


def test_dimensions_say_what_they_are(api):
    found = {row["name"]: row for row in asked(api, "dimensions/")}
    assert {"total", "route", "product", "country"} <= set(found)
    assert found["route"]["meaning"]
    assert "visitors" not in found["status"]["measures"]


# ── Formats ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("door", DOORS)
def test_every_format_has_the_same_object(api, door, format):
    plain = decoded(send(api, "get", ROOT + door))
    shown = send(api, "get", ROOT + door, accept=format)
    assert shown.status_code == 200
    expected = as_shown(plain, format)
    if format == "xlsx":
        assert rounded(decoded(shown)) == rounded(expected)
    else:
        assert decoded(shown) == expected


def test_the_times_of_a_workbook_are_times(api):
    def columns(address: str, *names: str) -> list[tuple]:
        response = send(api, "get", ROOT + address, accept="xlsx")
        head, *rows = openpyxl.load_workbook(io.BytesIO(response.content)).active.values
        places = [head.index(name) for name in names]
        return [tuple(row[place] for place in places) for row in rows]

    plain = asked(api, "series/?range=7&measure=views")["results"]
    assert len(plain) == 7
    assert columns("series/?range=7&measure=views", "start", "value") == [
        (
            datetime.datetime.fromisoformat(row["start"]).replace(tzinfo=None),
            row["value"],
        )
        for row in plain
    ]
    names = ("period.first", "period.end", "totals.views")
    ((first, end, views),) = columns("totals/?from=2026-11-01&to=2026-11-03", *names)
    assert first == datetime.datetime(2026, 11, 1)
    assert end == datetime.datetime(2026, 11, 4)
    assert isinstance(views, int)


def rounded(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """A spreadsheet's numbers have 15 digits, and 5.0 is 5."""

    def text(cell: str) -> str:
        try:
            return f"{float(cell):.12g}"
        except ValueError:
            return cell

    return [{name: text(cell) for name, cell in row.items()} for row in rows]


@pytest.mark.parametrize("door", [*DOORS, "totals/?colour=red", "nothing/"])
def test_no_answer_is_kept_anywhere(api, door):
    for client in (api, caller(None)):
        response = send(client, "get", ROOT + door)
        expected = "private, no-cache" if door == "nothing/" else "private, no-store"
        assert response["Cache-Control"] == expected


# ── Who may ask ──────────────────────────────────────────────────────────────
@pytest.mark.parametrize("door", DOORS)
def test_nobody_gets_nothing(door):
    response = send(caller(None), "get", ROOT + door)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("kind", ["session", "token", "jwt", "oauth", "machine"])
@pytest.mark.parametrize("door", DOORS)
def test_permission_and_scope_are_both_needed(door, kind):
    viewer, other = person(VIEW), person("products.view_product", name="other")
    scope = ("analytics:read",)
    assert send(caller(viewer, kind, scope), "get", ROOT + door).status_code == 200
    assert send(caller(other, kind, scope), "get", ROOT + door).status_code == 403
    if kind != "session":
        wrong = caller(viewer, kind, ("products:read", "products:write"))
        assert send(wrong, "get", ROOT + door).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("door", DOORS)
def test_nothing_can_be_changed(door, method):
    superuser = person(name="root", is_superuser=True)
    assert send(caller(superuser, "jwt"), method, ROOT + door).status_code in (403, 405)


# ── Questions that make no sense ─────────────────────────────────────────────
BAD = (
    "totals/?range=ever",
    "totals/?from=2026-02-30&to=2026-03-01",
    "totals/?audience=aliens",
    "totals/?dimension=nothing",
    "totals/?audience=",
    "totals/?format=",
    "totals/?range=7&range=30",
    "series/?measure=",
    "totals/?colour=red",
    "series/?measure=requests; DROP TABLE analytics_rollup",
    "series/?dimension=status&measure=visitors",
    "comparison/?compare=yesterday",
    "percentiles/?dimension=status",
    "percentiles/?ranks=nan",
    "percentiles/?ranks=101",
    "percentiles/?ranks=" + ",".join(["5"] * 21),
    "histogram/?dimension=status",
    "top/?by=bytes OR 1=1",
    "top/?page=0",
    "top/?page=000000001999999999",
    "top/?page_size=1001",
    "top/?page_size=000000001999999999",
    "top/?page_size=²",
    "top/?page_size=000000001" + "9" * 5_000,
    "top/?page_size=-1",
    "top/?dimension=route&key=/list/",
)


@pytest.mark.parametrize("question", BAD)
def test_what_makes_no_sense_is_a_problem_with_a_sentence(api, question):
    response = send(api, "get", ROOT + question)
    assert response.status_code == 400
    problem = response.json()
    assert problem["code"] == "invalid"
    assert all(one["message"] for many in problem["errors"].values() for one in many)


@pytest.mark.parametrize(
    ("question", "name"),
    [("top/?by=bytes", "by"), ("totals/?dimension=nope", "dimension")],
)
def test_a_value_that_is_no_choice_is_named_with_the_choices(api, question, name):
    errors = send(api, "get", ROOT + question).json()["errors"]
    assert list(errors) == [name]
    assert errors[name][0]["message"].startswith("It must be of: ")


def test_numbers_are_rounded_and_whole_ones_have_no_point(api):
    found = asked(api, "series/?measure=visitors&range=7")["results"]
    assert {type(row["value"]) for row in found} <= {int, type(None)}
    rate = asked(api, "totals/")["totals"]["error_rate"]
    assert rate == round(rate, 3)


def test_a_method_that_is_none_is_no_matter_of_scopes(api):
    response = send(api, "delete", ROOT + "totals/")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("text", ["\0", "%", "' OR ''='", "é" * 3_000, "\u202e"])
def test_odd_words_find_nothing_and_break_nothing(api, text):
    response = api.get(ROOT + "top/", {"dimension": "route", "q": text})
    assert response.status_code == 200
    key = api.get(ROOT + "totals/", {"dimension": "route", "key": text})
    assert key.json()["totals"]["requests"] == 0


# ── Cost ─────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("days", ["today", "90", "year"])
@pytest.mark.parametrize("door", DOORS)
def test_queries_are_few_however_long_the_time(
    api, door, days, django_assert_max_num_queries
):
    mark = "&" if "?" in door else "?"
    address = ROOT + door + ("" if door == "dimensions/" else f"{mark}range={days}")
    # The last use of a token is written once a minute.
    send(api, "get", address)
    with django_assert_max_num_queries(DOORS[door] + ASKING):
        assert send(api, "get", address).status_code == 200
