"""Upserts of many products by SKU: all of them, or each for itself."""

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from products.api.rows import MAX_ROWS
from products.models import FormerSlug, Product
from tests.api.calling import BULK, PRODUCTS, caller, decoded, send
from tests.products.making import category, product

pytestmark = pytest.mark.django_db
NEW = {"sku": "NEW-1", "name": "New", "category": "kitchen", "price": "1.00"}


def states(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["status"] for row in response.json()["results"]]


def stored() -> dict[str, tuple[str, int]]:
    return dict(
        (sku, (name, stock))
        for sku, name, stock in Product.objects.values_list("sku", "name", "stock")
    )


def test_rows_are_added_changed_and_left(api, editor, shelf):
    rows = [{"sku": "007", "stock": 4}, NEW, {"sku": "PAN-1", "stock": 0}]
    response = send(api, "post", BULK, rows)
    assert states(response) == ["updated", "created", "unchanged"]
    found = response.json()
    counts = {each: found[each] for each in ("created", "updated", "unchanged")}
    assert counts == {"created": 1, "updated": 1, "unchanged": 1}
    assert (found["mode"], found["dry_run"], found["error"]) == ("all", False, 0)
    ids = [Product.objects.get(sku=row["sku"]).pk for row in rows]
    assert [row["id"] for row in found["results"]] == ids
    assert stored()["007"] == ("Mug", 4)
    entries = LogEntry.objects.values_list("action_flag", "object_id", "user")
    assert set(entries) == {
        (CHANGE, str(ids[0]), editor.pk),
        (ADDITION, str(ids[1]), editor.pk),
    }


def test_a_field_that_a_row_does_not_have_stays(api, mug):
    Product.objects.update(description="Kept", is_active=False)
    rows = [{"sku": "007", "name": "Cup"}, NEW | {"description": "x", "stock": 1}]
    assert states(send(api, "post", BULK, rows)) == ["updated", "created"]
    mug.refresh_from_db()
    assert (mug.name, mug.description, mug.is_active) == ("Cup", "Kept", False)
    assert (mug.stock, mug.slug) == (10, "mug")
    none = {"name": None, "description": None, "stock": None, "is_active": None}
    assert states(send(api, "post", BULK, [{"sku": "007"} | none])) == ["unchanged"]
    emptied = [{"sku": "007", "description": ""}]
    assert states(send(api, "post", BULK, emptied)) == ["updated"]


def test_all_or_nothing(api, shelf):
    before = stored()
    rows = [{"sku": "007", "stock": 4}, NEW | {"price": "-1"}, {"sku": "PAN-1"}]
    response = send(api, "post", BULK, rows)
    assert response.status_code == 400
    assert decoded(response)["code"] == "invalid"
    assert list(decoded(response)["errors"]) == ["rows.2.price"]
    assert stored() == before
    assert not LogEntry.objects.exists()


def test_each_for_itself(api, shelf):
    rows = [
        {"sku": "007", "stock": 4},
        NEW | {"price": "-1"},
        {"sku": "", "name": "x"},
        {"sku": "PAN-1", "category": "none"},
        NEW | {"sku": "NEW-2", "slug": "mug"},
        NEW | {"sku": "NEW-3", "name": "Three"},
    ]
    response = send(api, "post", f"{BULK}?mode=each", rows)
    assert states(response) == ["updated", *["error"] * 4, "created"]
    errors = [set(row["errors"]) for row in response.json()["results"][1:5]]
    assert errors[0] == {"price"}
    assert "sku" in errors[1]
    assert errors[2:] == [{"category"}, {"slug"}]
    assert stored()["007"] == ("Mug", 4)
    assert stored()["NEW-3"] == ("Three", 0)
    assert len(stored()) == 5


def test_what_one_row_began_the_next_does_not_save(api, mug):
    """A row with an error, and one with the same SKU and without."""
    rows = [{"sku": "007", "name": "Broken", "price": -1}, {"sku": "007", "stock": 4}]
    response = send(api, "post", f"{BULK}?mode=each", [*rows, NEW])
    assert states(response) == ["error", "error", "created"]
    assert "double" in str(response.json()["results"][1]["errors"]["sku"])
    assert stored()["007"] == ("Mug", 10)
    same = [{"sku": "007"}, {"sku": " 007 "}]
    assert states(send(api, "post", f"{BULK}?mode=each", same)) == ["error", "error"]


@pytest.mark.parametrize("mode", ["all", "each"])
def test_a_dry_run_tells_and_changes_nothing(api, shelf, mode):
    before, updated = stored(), Product.objects.get(sku="007").updated
    rows = [{"sku": "007", "stock": 4}, NEW, NEW | {"sku": "BAD", "price": "x"}]
    response = send(api, "post", f"{BULK}?mode={mode}&dry_run=1", rows)
    assert states(response) == ["updated", "created", "error"]
    assert response.json()["dry_run"] is True
    assert stored() == before
    assert Product.objects.get(sku="007").updated == updated
    assert not LogEntry.objects.exists()


def test_renamed_products_keep_their_old_addresses(api, mug):
    rows = [{"sku": "007", "slug": "cup"}, NEW | {"slug": "mug"}]
    assert states(send(api, "post", BULK, rows)) == ["updated", "created"]
    assert not FormerSlug.objects.exists()
    rows = [{"sku": "007", "slug": "beaker"}]
    assert states(send(api, "post", BULK, rows)) == ["updated"]
    assert FormerSlug.objects.get().slug == "cup"


def test_what_was_read_can_be_sent_back(api, shelf):
    # It could not have come in through the API.
    Product.objects.filter(sku="PAD-1").update(name="=Pad, “ruled”")
    for format in ("json", "xml", "yaml", "csv"):
        read = send(api, "get", PRODUCTS, accept=format)
        if format == "csv":
            response = api.generic("POST", BULK, read.content, "text/csv")
        else:
            rows = send(api, "get", PRODUCTS).json()["results"]
            response = send(api, "post", BULK, rows, format)
        assert set(states(response)) == {"unchanged"}


BODIES = {
    "object": ({"sku": "007"}, "list"),
    "none": ([], "0 rows"),
    "text": (["007"], "Row 1"),
    "field": ([{"sku": "007"}, {"sku": "1", "colour": "red"}], "Row 2 has “colour”"),
    "nested": ([{"sku": "007", "name": ["x"]}], "Row 1, name"),
    "many": ([{"sku": "007"}] * (MAX_ROWS + 1), "10001 rows"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_are_no_rows_are_refused(api, mug, name):
    data, word = BODIES[name]
    response = send(api, "post", BULK, data)
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
    assert word in response.json()["detail"]


@pytest.mark.parametrize("mode", ["all", "each"])
def test_a_name_that_is_no_field_refuses_all_rows_and_says_which_there_are(
    api, mug, mode
):
    rows = [{"sku": "007", "stock": 4}, NEW | {"colour": "red"}]
    response = send(api, "post", f"{BULK}?mode={mode}", rows)
    assert response.status_code == 400
    assert "Row 2 has “colour”" in response.json()["detail"]
    assert "There are: sku, name" in response.json()["detail"]
    assert stored() == {"007": ("Mug", 10)}


def test_a_file_in_a_form_is_told_how_to_come(api, mug):
    file = SimpleUploadedFile("products.csv", b"sku,stock\n007,4\n", "text/csv")
    response = api.post(BULK, {"file": file})
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
    assert "text/csv; it is not read from a form" in response.json()["detail"]


@pytest.mark.parametrize("query", ["mode=some", "dry_run=yes", "dry_run=", "rows=1"])
def test_parameters_that_are_none_are_refused(api, mug, query):
    response = send(api, "post", f"{BULK}?{query}", [NEW])
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [query.partition("=")[0]]
    assert stored() == {"007": ("Mug", 10)}


@pytest.mark.parametrize(
    "value", ["=1+1", "'=1", "-x", "+x", "@x", "007", "1e5", "null", "yes"]
)
def test_texts_are_kept_as_they_are(api, mug, value):
    for format in ("json", "xml", "yaml", "csv"):
        Product.objects.update(name="Mug")
        response = send(api, "post", BULK, [{"sku": "007", "name": value}], format)
        assert states(response) == ["updated"]
        mug.refresh_from_db()
        assert mug.name == value


def rows_of(count: int) -> list[dict[str, object]]:
    """Half of them new, half of them changed."""
    for number in range(count // 2):
        product(f"old-{number}")
    old = [{"sku": f"OLD-{number}", "stock": 3} for number in range(count // 2)]
    return old + [
        NEW | {"sku": f"N-{number}", "name": f"N {number}"}
        for number in range(count // 2)
    ]


def test_the_number_of_queries_is_bounded(editor):
    client = caller(editor, "session")
    category()
    counted = []
    for count in (4, 200):
        Product.objects.all().delete()
        rows = rows_of(count)
        with CaptureQueriesContext(connection) as captured:
            assert set(states(send(client, "post", BULK, rows))) == {
                "updated",
                "created",
            }
        counted.append(len(captured))
    # A statement has room for so many values only.
    assert counted[1] - counted[0] <= 2
    assert counted[1] <= 20


def test_ten_thousand_rows(api, db):
    category()
    rows = [NEW | {"sku": f"N-{n}", "name": f"N {n}"} for n in range(MAX_ROWS)]
    response = send(api, "post", BULK, rows)
    assert response.json()["created"] == MAX_ROWS == Product.objects.count()
    assert LogEntry.objects.count() == MAX_ROWS


def test_products_are_locked_while_they_are_compared(api, mug):
    """Else a change between reading and saving would be undone."""
    if not connection.features.has_select_for_update:
        pytest.skip("the whole database is locked")
    with CaptureQueriesContext(connection) as captured:
        send(api, "post", BULK, [{"sku": "007", "stock": 4}])
    reads = [each["sql"] for each in captured if '"sku" IN' in each["sql"]]
    assert reads
    assert all("FOR UPDATE" in sql for sql in reads)
