"""What hostile or broken uploads get: a refusal in a sentence, and nothing else."""

import io
import os
import time
import zipfile

import openpyxl
import pytest
from django.test import Client

from products.imports import drafts, uploads, workbook
from products.models import Product
from products.resources import ProductResource
from tests.products.making import (
    CONFIRM,
    IMPORT,
    category,
    confirm,
    csv_bytes,
    product,
    staff,
    told,
    upload,
    upload_rows,
    xlsx_bytes,
)

pytestmark = pytest.mark.django_db
HEADER = ("sku", "name", "category", "price")
ROW = ("CUP", "Cup", "kitchen", "5")
SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def manager(client):
    category("kitchen")
    client.force_login(staff("products.view_product", "products.import_product"))
    return client


def refusal(client, data: bytes, name: str) -> str:
    """Why the file is refused."""
    response = upload(client, data, name)
    assert response.status_code == 200
    assert not response.context.get("outcome")
    assert not list(drafts.folder().iterdir())
    return " ".join(response.context["form"].errors["file"])


def rewritten(replace: dict[str, bytes], add: dict[str, bytes] | None = None) -> bytes:
    """A good workbook with some of its parts replaced."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx_bytes(HEADER, ROW))) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(
                entry.filename, replace.get(entry.filename, old.read(entry.filename))
            )
        for name, content in (add or {}).items():
            new.writestr(name, content)
    return file.getvalue()


def sheet_xml(rows: bytes, before: bytes = b"") -> bytes:
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return (
        b'<?xml version="1.0"?>%b<worksheet xmlns="%b"><sheetData>%b</sheetData>'
        b"</worksheet>" % (before, space, rows)
    )


def test_good_files_pass(manager):
    assert upload(manager, rewritten({}), "a.xlsx").context["outcome"].new == 1
    assert upload(manager, csv_bytes(HEADER, ROW)).context["outcome"].new == 1


# ── Size ─────────────────────────────────────────────────────────────────────
def test_too_many_bytes(manager, monkeypatch):
    data = csv_bytes(HEADER, ROW)
    monkeypatch.setattr(uploads, "MAX_BYTES", len(data) - 1)
    assert "larger than" in refusal(manager, data, "a.csv")
    monkeypatch.setattr(uploads, "MAX_BYTES", len(data))
    assert upload(manager, data).context["outcome"].new == 1


def test_too_many_bytes_are_not_even_parsed(manager, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_BYTES", 100)
    monkeypatch.setattr(uploads, "_rows", lambda *args: 1 / 0)
    assert "larger than" in refusal(manager, b"a" * 10_000, "a.csv")


@pytest.mark.parametrize("make", [csv_bytes, xlsx_bytes])
def test_too_many_rows(manager, monkeypatch, make):
    monkeypatch.setattr(uploads, "MAX_ROWS", 3)
    name = "a.csv" if make is csv_bytes else "a.xlsx"
    rows = [(f"P-{number}", "Pot", "kitchen", "5") for number in range(4)]
    assert "more than 3 rows" in refusal(manager, make(HEADER, *rows), name)
    assert upload(manager, make(HEADER, *rows[:3]), name).context["outcome"].total == 3


def test_one_row_far_down_is_too_many_rows(manager):
    far = b'<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    first = b'<row r="1"><c r="A1" t="inlineStr"><is><t>sku</t></is></c></row>'
    data = rewritten({SHEET: sheet_xml(first + far)})
    assert "more than 20,000 rows" in refusal(manager, data, "a.xlsx")


@pytest.mark.parametrize("make", [csv_bytes, xlsx_bytes])
def test_too_many_columns(manager, make):
    name = "a.csv" if make is csv_bytes else "a.xlsx"
    data = make(["sku"] * 60, ROW)
    assert "more than 50 columns" in refusal(manager, data, name)


def test_one_cell_far_right_is_too_many_columns(manager):
    far = b'<row r="1"><c r="XFD1" t="inlineStr"><is><t>sku</t></is></c></row>'
    data = rewritten({SHEET: sheet_xml(far)})
    assert "more than 50 columns" in refusal(manager, data, "a.xlsx")


@pytest.mark.parametrize("make", [csv_bytes, xlsx_bytes])
def test_too_long_a_cell(manager, make):
    name = "a.csv" if make is csv_bytes else "a.xlsx"
    data = make(HEADER, ("CUP", "x" * 10_001, "kitchen", "5"))
    assert "Row 2 has a cell of more than 10,000" in refusal(manager, data, name)


def test_one_endless_line(manager):
    assert "can't be read at line" in refusal(manager, b"sku\n" + b"x" * 4**10, "a.csv")


# ── Archives ─────────────────────────────────────────────────────────────────
def test_zip_bomb_is_refused_before_it_is_unpacked(manager, monkeypatch):
    monkeypatch.setattr(openpyxl, "load_workbook", lambda *args, **kwargs: 1 / 0)
    data = rewritten({}, {"xl/media/image1.bin": b"\0" * 40_000_000})
    assert len(data) < 100_000
    assert "larger than 32 MB when unpacked" in refusal(manager, data, "a.xlsx")


def test_too_strong_a_compression(manager):
    data = rewritten({}, {"xl/media/image1.bin": b"\0" * 5_000_000})
    assert "compressed more strongly" in refusal(manager, data, "a.xlsx")


def test_too_many_entries(manager):
    data = rewritten({}, {f"xl/{number}": b"" for number in range(200)})
    assert "more than 200 parts" in refusal(manager, data, "a.xlsx")


def test_size_that_the_directory_lies_about(manager):
    data = bytearray(rewritten({SHEET: sheet_xml(b"<row/>" * 100_000)}))
    place = data.rindex(SHEET.encode()) - 46 + 24
    data[place : place + 4] = (1000).to_bytes(4, "little")
    assert "can be read" in refusal(manager, bytes(data), "a.xlsx")


@pytest.mark.parametrize("part", ["xl/styles.xml", "xl/workbook.xml", SHEET])
def test_more_tags_than_a_parser_should_see(manager, monkeypatch, part):
    monkeypatch.setattr(openpyxl, "load_workbook", lambda *args, **kwargs: 1 / 0)
    monkeypatch.setattr(workbook, "MAX_RATIO", 10**9)
    assert workbook.MAX_TAGS < 5_000_000
    data = rewritten({part: b"<x/>" * 5_000_000})
    assert len(data) < 100_000
    assert "too complex" in refusal(manager, data, "a.xlsx")


def test_tags_of_all_sheets_count_together(manager, monkeypatch):
    sheets = {f"xl/worksheets/sheet{number}.xml": b"<x/>" * 30 for number in (2, 3, 4)}
    monkeypatch.setattr(workbook, "MAX_TAGS", 110)
    assert "too complex" in refusal(manager, rewritten({}, sheets), "a.xlsx")


def test_largest_workbook_passes():
    """Of our own columns, with nothing left out."""
    rows = uploads.MAX_ROWS * (len(ProductResource.columns()) * 6 + 2)
    assert rows < workbook.MAX_TAGS


def test_workbook_that_hides_among_the_sheets(manager):
    good = zipfile.ZipFile(io.BytesIO(rewritten({})))
    kinds = good.read("[Content_Types].xml")
    kinds = kinds.replace(b'"/xl/workbook.xml"', b'"/xl/worksheets/book.xml"')
    parts = {
        "workbook.xml": "book.xml",
        "_rels/workbook.xml.rels": "_rels/book.xml.rels",
    }
    moved = {
        f"xl/worksheets/{new}": good.read(f"xl/{old}") for old, new in parts.items()
    }
    data = rewritten({"[Content_Types].xml": kinds}, moved)
    assert "can be read" in refusal(manager, data, "a.xlsx")


def test_macros_are_refused(manager):
    data = rewritten({}, {"xl/vbaProject.bin": b"x"})
    assert "macros" in refusal(manager, data, "a.xlsx")


def test_doubled_entries_are_refused(manager):
    with pytest.warns(UserWarning, match="Duplicate"):
        data = rewritten({}, {SHEET: b"x"})
    assert "can be read" in refusal(manager, data, "a.xlsx")


# ── XML ──────────────────────────────────────────────────────────────────────
LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "%b">]>' % (b"&a;" * 1000)
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>'
CELL = b'<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row>'


def test_xml_is_read_through_defusedxml():
    assert openpyxl.DEFUSEDXML


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("entities", [LAUGHS, OUTSIDE])
def test_entities_are_refused(manager, entities, part):
    data = rewritten({part: sheet_xml(CELL, before=entities)})
    assert "can be read" in refusal(manager, data, "a.xlsx")


def test_without_defusedxml_no_workbook_is_read(manager, monkeypatch):
    monkeypatch.setattr(openpyxl, "DEFUSEDXML", False)
    assert "defusedxml is missing" in refusal(manager, rewritten({}), "a.xlsx")


# ── Kinds of files ───────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ["a.xls", "a.yaml", "a.html", "a.csv.exe", "csv", "a"])
def test_only_two_kinds_are_taken(manager, name):
    assert "Only files named" in refusal(manager, csv_bytes(HEADER, ROW), name)


def test_name_and_content_have_to_agree(manager):
    assert "not an XLSX" in refusal(manager, csv_bytes(HEADER, ROW), "a.xlsx")
    assert "a workbook" in refusal(manager, xlsx_bytes(HEADER, ROW), "a.csv")


def test_archive_that_is_no_workbook(manager):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "x")
    assert "can be read" in refusal(manager, file.getvalue(), "a.xlsx")


@pytest.mark.parametrize("length", [4, 30, 1_000, -30])
def test_workbook_that_is_cut_off(manager, length):
    data = xlsx_bytes(HEADER, ROW)[:length]
    assert "can be read" in refusal(manager, data, "a.xlsx")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_empty_files(manager, data):
    assert "empty" in refusal(manager, data, "a.csv")


# ── Texts ────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_usual_kinds_of_csv_are_read(manager, encoding, end, delimiter):
    data = csv_bytes(
        HEADER,
        ("CUP", "Täßchen, groß; neu", "kitchen", "5"),
        encoding=encoding,
        lineterminator=end,
        delimiter=delimiter,
    )
    page = upload(manager, data)
    assert page.context["outcome"].errors == []
    confirm(manager, page)
    assert Product.objects.get().name == "Täßchen, groß; neu"


def test_text_that_is_not_utf8(manager):
    data = csv_bytes(HEADER, ("CUP", "Täßchen", "kitchen", "5"), encoding="latin-1")
    assert "not UTF-8" in refusal(manager, data, "a.csv")


@pytest.mark.parametrize(
    "data", [b"sku\0,name\nA,b", "sku,name\nA,b".encode("utf-16-le")]
)
def test_nul_characters(manager, data):
    assert "NUL" in refusal(manager, data, "a.csv")


def test_quote_that_is_never_closed(manager):
    assert "can't be read at line" in refusal(manager, b'sku\n"a', "a.csv")


def test_unknown_and_doubled_columns(manager):
    unknown = csv_bytes(("sku", "pirce", "is_staff"), ("A", 1, 1))
    assert "'pirce', 'is_staff'" in refusal(manager, unknown, "a.csv")
    double = csv_bytes(("sku", "name", "Name "), ("A", 1, 1))
    assert "there twice: name" in refusal(manager, double, "a.csv")
    assert "column sku is missing" in refusal(manager, b"name\nx", "a.csv")


def test_row_that_is_longer_than_the_header(manager):
    data = csv_bytes(("sku", "stock"), (), ("A", "1", "2"))
    assert "Row 3 has 3 cells" in refusal(manager, data, "a.csv")


def test_html_in_cells_is_shown_as_text(manager):
    bad = "<script>alert(1)</script>"
    mug = product("mug", name=bad)
    errors = upload_rows(manager, HEADER, (bad, bad, bad, bad))
    assert errors.context["outcome"].failed == 1
    changes = upload_rows(manager, ("sku", "name"), (mug.sku, f"{bad}!"))
    assert changes.context["outcome"].updated == 1
    unknown = upload_rows(manager, ("sku", bad), ("A", "B"))
    for page in (errors, changes, unknown):
        assert bad not in page.text
        assert "&lt;script&gt;" in page.text


def test_file_name_is_shown_as_text_and_never_used_as_a_path(manager, drafts_folder):
    name = "../../<b>x.csv"
    page = upload(manager, csv_bytes(HEADER, ROW), name)
    assert "<b>x" not in page.text
    (draft,) = drafts_folder.iterdir()
    assert draft.name == page.context["token"]


@pytest.mark.parametrize("price", ["NaN", "Infinity", "1e3", "1_0", "٣", "0x1", "--1"])
def test_odd_numbers_are_refused(manager, price):
    page = upload_rows(manager, HEADER, ("CUP", "Cup", "kitchen", price))
    assert page.context["outcome"].failed == 1


# ── Drafts ───────────────────────────────────────────────────────────────────
def test_draft_belongs_to_who_made_it(manager, client, django_user_model):
    page = upload_rows(manager, HEADER, ROW)
    other = django_user_model.objects.create_superuser("other")
    client.force_login(other)
    assert "Upload the file again" in told(confirm(client, page))
    assert not Product.objects.exists()


@pytest.mark.parametrize("token", ["", "../../secret_key", "x" * 32, "\0", "a/b"])
def test_made_up_token_leads_nowhere(manager, drafts_folder, token):
    (drafts_folder.parent / "secret_key").write_text("{}")
    data = {"token": token, "confirm": "yes"}
    assert "Upload the file again" in told(manager.post(CONFIRM, data, follow=True))
    assert (drafts_folder.parent / "secret_key").exists()


def test_draft_that_is_too_old_is_gone(manager, drafts_folder):
    page = upload_rows(manager, HEADER, ROW)
    (draft,) = drafts_folder.iterdir()
    before = time.time() - drafts.LIFETIME - 1
    os.utime(draft, (before, before))
    assert "too old" in told(confirm(manager, page))
    assert not draft.exists()
    assert not Product.objects.exists()


def test_nothing_is_done_by_a_link(manager):
    upload_rows(manager, HEADER, ROW)
    assert manager.get(CONFIRM).status_code == 405


def test_import_needs_its_token_against_forgery(manager):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = manager.cookies
    assert strict.post(IMPORT, {}).status_code == 403
    assert strict.post(CONFIRM, {}).status_code == 403


def test_limits_are_what_the_page_says(manager):
    text = manager.get(IMPORT).text
    assert "at most 5 MB and 20,000 rows" in text
    assert workbook.MAX_INFLATED == 32 * 1024**2
