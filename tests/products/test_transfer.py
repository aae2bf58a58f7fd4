"""Import and export in the admin: who may, what is shown first, what is kept."""

import csv
import io
import stat

import openpyxl
import pytest
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry

from products.imports import drafts
from products.models import FormerSlug, Product
from tests.products.making import (
    CONFIRM,
    EXPORT,
    IMPORT,
    category,
    confirm,
    product,
    staff,
    told,
    upload,
    upload_rows,
)

pytestmark = pytest.mark.django_db
HEADER = ("sku", "name", "category", "price", "stock")
CSV_FORMAT, XLSX_FORMAT = "0", "1"


@pytest.fixture
def manager(client):
    """Somebody who may import and export, and not more."""
    names = ("view", "import", "export")
    client.force_login(staff(*(f"products.{name}_product" for name in names)))
    return client


@pytest.fixture
def mug():
    return product("mug", price="9.50", stock=10)


def exported(client, kind: str) -> bytes:
    response = client.post(EXPORT, {"format": kind, "resource": ""})
    assert response.status_code == 200
    return response.content


def csv_rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def log() -> list[tuple[str | None, int, str]]:
    entries = LogEntry.objects.order_by("pk")
    return [(each.object_id, each.action_flag, each.object_repr) for each in entries]


@pytest.mark.parametrize("name", ["products.csv", "PRODUCTS.XLSX"])
def test_import_is_looked_at_first_and_then_done(manager, mug, name):
    rows = [HEADER, ("MUG", "Mug", "kitchen", 9.5, 3), ("CUP", "Cup", "kitchen", 5, 4)]
    page = upload_rows(manager, *rows, name=name.lower())
    outcome = page.context["outcome"]
    assert (outcome.new, outcome.updated, outcome.failed) == (1, 1, 0)
    assert "stock: <del>10</del> → <ins>3</ins>" in page.text
    assert "price: <del>" not in page.text
    assert Product.objects.count() == 1
    done = confirm(manager, page)
    assert "1 new, 1 updated, 0 unchanged" in told(done)
    assert Product.objects.get(sku="MUG").stock == 3
    cup = Product.objects.get(sku="CUP")
    assert (cup.name, cup.slug, str(cup.price)) == ("Cup", "cup", "5.00")


def test_import_leaves_its_traces(manager, mug):
    rows = [
        HEADER,
        ("MUG", "Mug", "kitchen", "8", "3"),
        ("CUP", "Cup", "kitchen", 5, 4),
    ]
    confirm(manager, upload_rows(manager, *rows))
    cup = Product.objects.get(sku="CUP")
    assert log() == [
        (str(cup.pk), ADDITION, "Cup"),
        (str(mug.pk), CHANGE, "Mug"),
        (None, CHANGE, "Import of products.csv: 1 new, 1 updated, 0 unchanged"),
    ]


def test_unchanged_rows_are_shown_and_left_alone(manager, mug):
    page = upload_rows(manager, HEADER, ("MUG", "Mug", "kitchen", "9.5", "10"))
    assert page.context["outcome"].unchanged == 1
    assert "there is nothing to import" in page.text
    assert page.context["token"] == ""
    assert not list(drafts.folder().iterdir())


def test_unchanged_rows_keep_their_time(manager, mug):
    rows = [("MUG", "Mug", "kitchen", "9.5", "10"), ("CUP", "Cup", "kitchen", 5, 4)]
    done = confirm(manager, upload_rows(manager, HEADER, *rows))
    assert "1 new, 0 updated, 1 unchanged" in told(done)
    assert Product.objects.get(sku="MUG").updated == mug.updated


def test_rows_with_errors_stop_the_import_and_are_all_counted(manager, mug):
    good = ("CUP", "Cup", "kitchen", "5", "4")
    bad = [(f"BAD-{number}", "", "nowhere", "1,5", "-1") for number in range(120)]
    page = upload_rows(manager, HEADER, good, *bad)
    assert page.context["outcome"].failed == 120
    assert len(page.context["outcome"].errors) == 100
    assert "The first 100 of 120" in page.text
    row, sku, sentences = page.context["outcome"].errors[0]
    assert (row, sku) == (3, "BAD-0")
    assert "price: “1,5” is not a price. Write it with a point: 24.50." in sentences
    assert "category: There is no category “nowhere”, only: kitchen." in sentences
    assert any(sentence.startswith("name: ") for sentence in sentences)
    assert page.context["token"] == ""


def test_preview_shows_so_many_rows_and_no_more(manager, mug):
    rows = [(f"P-{number}", f"Pot {number}", "kitchen", 1, 1) for number in range(250)]
    page = upload_rows(manager, HEADER, *rows)
    assert page.context["outcome"].new == 250
    assert page.text.count('<tr class="new">') == 200
    assert "200 of 250 rows are shown" in page.text
    confirm(manager, page)
    assert Product.objects.count() == 251


def test_stale_preview_does_not_overwrite(manager, mug):
    rows = [("MUG", "Mug", "kitchen", "8", "3"), ("CUP", "Cup", "kitchen", "5", "4")]
    page = upload_rows(manager, HEADER, *rows)
    mug.price = "12.00"
    mug.save()
    done = confirm(manager, page)
    assert "changed after the preview: MUG." in told(done)
    assert str(Product.objects.get().price) == "12.00"


def test_preview_is_stale_when_a_product_came_or_went(manager, mug):
    rows = [("MUG", "Mug", "kitchen", "8", "3"), ("CUP", "Cup", "kitchen", "5", "4")]
    page = upload_rows(manager, HEADER, *rows)
    mug.delete()
    product("cup", sku="CUP")
    assert "changed after the preview: CUP, MUG." in told(confirm(manager, page))
    assert Product.objects.get().stock == 10


def test_error_that_came_after_the_preview_changes_nothing(manager, mug):
    page = upload_rows(manager, HEADER, ("CUP", "Cup", "kitchen", "5", "4"))
    product("cup", sku="OTHER")
    done = confirm(manager, page)
    assert "Nothing was imported" in told(done)
    assert "“cup” is the address of OTHER." in told(done)
    assert not Product.objects.filter(sku="CUP").exists()


def test_import_that_fails_at_the_last_row_changes_nothing(manager, mug, monkeypatch):
    page = upload_rows(
        manager,
        HEADER,
        ("MUG", "Mug", "kitchen", "8", "3"),
        ("CUP", "Cup", "kitchen", "5", "4"),
    )
    monkeypatch.setattr(
        "products.resources.ProductResource.after_import",
        lambda self, *args, **kwargs: 1 / 0,
    )
    assert "the database refused it" in told(confirm(manager, page))
    assert list(Product.objects.values_list("sku", "stock")) == [("MUG", 10)]
    assert log() == []


def test_confirming_twice_imports_once(manager, mug):
    page = upload_rows(manager, HEADER, ("CUP", "Cup", "kitchen", "5", "4"))
    confirm(manager, page)
    assert "Upload the file again" in told(confirm(manager, page))
    assert Product.objects.filter(sku="CUP").count() == 1


def test_cancel_changes_nothing_and_removes_the_draft(manager, mug):
    page = upload_rows(manager, HEADER, ("CUP", "Cup", "kitchen", "5", "4"))
    (draft,) = drafts.folder().iterdir()
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    data = {"token": page.context["token"], "cancel": "yes"}
    done = manager.post(CONFIRM, data, follow=True)
    assert "Nothing was changed" in told(done)
    assert not Product.objects.filter(sku="CUP").exists()
    assert not draft.exists()


def test_draft_is_removed_when_it_was_imported(manager, mug):
    page = upload_rows(manager, HEADER, ("CUP", "Cup", "kitchen", "5", "4"))
    confirm(manager, page)
    assert not list(drafts.folder().iterdir())


def test_import_renames_and_keeps_the_old_address(manager, mug):
    page = upload_rows(manager, ("sku", "slug"), ("MUG", "big-mug"))
    confirm(manager, page)
    assert Product.objects.get().slug == "big-mug"
    assert FormerSlug.objects.get().slug == "mug"


@pytest.mark.parametrize("address", [IMPORT, EXPORT])
def test_import_and_export_are_permissions_of_their_own(client, address):
    client.force_login(
        staff(*(f"products.{name}_product" for name in ("view", "add", "change")))
    )
    assert client.get(address).status_code == 403
    assert client.post(address, {"format": CSV_FORMAT}).status_code == 403
    assert client.post(CONFIRM).status_code == 403
    text = client.get("/admin/products/product/").text
    assert "import/" not in text
    assert "export/" not in text


def test_who_may_import_or_export_finds_the_pages(manager):
    text = manager.get("/admin/products/product/").text
    assert IMPORT in text
    assert EXPORT.removeprefix("/admin/products/product/") in text


def test_export_as_csv_holds_what_the_list_shows(manager, mug):
    product("pan", stock=0)
    product("lamp", category="lighting")
    header, *rows = csv_rows(exported(manager, CSV_FORMAT))
    assert ",".join(header) == (
        "sku,name,slug,category,description,price,currency,stock,active"
    )
    assert [row[0] for row in rows] == ["LAMP", "MUG", "PAN"]
    narrowed = f"{EXPORT}?category__id__exact={category('lighting').pk}"
    response = manager.post(narrowed, {"format": CSV_FORMAT})
    assert [row[0] for row in csv_rows(response.content)[1:]] == ["LAMP"]


def test_export_as_xlsx_has_numbers_and_texts(manager):
    product("mug", name="=1+1", price="9.50", stock=10)
    sheet = openpyxl.load_workbook(io.BytesIO(exported(manager, XLSX_FORMAT))).active
    cells = dict(zip([cell.value for cell in sheet[1]], sheet[2], strict=True))
    assert (cells["name"].value, cells["name"].data_type) == ("'=1+1", "s")
    assert (cells["price"].value, cells["price"].data_type) == (9.5, "n")
    assert (cells["stock"].value, cells["stock"].data_type) == (10, "n")
    assert cells["active"].value == "yes"


def test_export_leaves_a_trace_and_its_form_does_not(manager, mug):
    assert manager.get(EXPORT).status_code == 200
    assert log() == []
    exported(manager, CSV_FORMAT)
    assert log() == [(None, CHANGE, "Export as CSV: 1 products")]


@pytest.mark.parametrize("kind", ["7", "-1", "", "x"])
def test_unknown_format_is_refused(manager, mug, kind):
    response = manager.post(EXPORT, {"format": kind})
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("kind", "name"), [(CSV_FORMAT, "products.csv"), (XLSX_FORMAT, "products.xlsx")]
)
def test_exported_file_changes_nothing_when_it_is_imported(manager, kind, name):
    texts = [
        "=1+1",
        "'=1",
        "'tis",
        " -2",
        "@x",
        "＝1",
        "+49",
        "a\r\nb",
        ' "q", ;',
        "07",
    ]
    for number, text in enumerate(texts):
        line = " ".join(text.split())
        product(f"p-{number}", name=line, description=text, is_active=number % 2)
    page = upload(manager, exported(manager, kind), name)
    assert page.context["outcome"].errors == []
    assert [row.changes for _, row in page.context["outcome"].rows if row.changes] == []
    assert page.context["outcome"].unchanged == len(texts)


@pytest.mark.parametrize("path", [IMPORT, EXPORT])
def test_page_has_no_inline_style_or_script(manager, mug, path):
    text = manager.get(path).text
    assert "style=" not in text
    assert "onchange" not in text
    assert "<script>" not in text


def test_many_rows_are_imported_with_few_queries(
    manager, mug, django_assert_max_num_queries
):
    rows = [(f"P-{number}", f"Pot {number}", "kitchen", 1, 1) for number in range(300)]
    with django_assert_max_num_queries(30):
        page = upload_rows(manager, HEADER, *rows)
    with django_assert_max_num_queries(60):
        confirm(manager, page)
    assert Product.objects.count() == 301


@pytest.mark.parametrize("query", ["is_active__exact=x", "stock__gte=x", "nonsense=1"])
def test_export_with_a_filter_that_is_none(manager, mug, query):
    address = f"{EXPORT}?{query}"
    assert manager.get(address).status_code == 400
    data = {"format": CSV_FORMAT, "resource": ""}
    assert manager.post(address, data).status_code == 400
    assert not log()


def test_export_is_for_those_who_may_see_the_list(client, mug):
    client.force_login(staff("products.export_product"))
    assert client.get(EXPORT).status_code == 403
    data = {"format": CSV_FORMAT, "resource": ""}
    assert client.post(EXPORT, data).status_code == 403
