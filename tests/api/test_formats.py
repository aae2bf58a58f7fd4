"""What the formats read and write by themselves, and what they refuse to read."""

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import yaml
from rest_framework import serializers
from rest_framework.exceptions import ParseError

from api.formats import (
    CsvParser,
    CsvRenderer,
    JsonParser,
    XlsxRenderer,
    XmlParser,
    XmlRenderer,
    YamlParser,
    YamlRenderer,
)
from api.formats.tree import MAX_DEPTH, MAX_NODES

TREE = {
    "text": "a <b> & 'c' “d”\r\ne\tf",
    "code": "007",
    "words": ["yes", "NULL", "1E5", "0o7", "n", "12:30", "~", "", " x "],
    "nothing": None,
    "empty": {"list": [], "object": {}, "text": ""},
    "rows": [{"a": "1"}, {"a": None, "item": "x"}],
    "a name/with spaces": ["one"],
}
PAIRS = {"xml": (XmlRenderer, XmlParser), "yaml": (YamlRenderer, YamlParser)}
PARSERS = {"xml": XmlParser, "yaml": YamlParser, "csv": CsvParser, "json": JsonParser}


class Rows:
    takes_rows = True


def read(format: str, data: bytes | str, view=None):
    data = data if isinstance(data, bytes) else data.encode()
    return PARSERS[format]().parse(io.BytesIO(data), None, {"view": view})


def refusal(format: str, data: bytes | str) -> str:
    with pytest.raises(ParseError) as caught:
        read(format, data)
    return str(caught.value.detail)


@pytest.mark.parametrize("format", PAIRS)
def test_what_is_written_is_read_again(format):
    renderer, parser = PAIRS[format]
    text = renderer().render(TREE)
    assert parser().parse(io.BytesIO(text.encode())) == TREE


def test_yaml_means_the_same_to_every_reader():
    text = YamlRenderer().render(TREE | {"number": 5, "yes": True})
    assert yaml.safe_load(text) == TREE | {"number": 5, "yes": True}
    # YAML 1.2 takes these for numbers, 1.1 takes them for text.
    for word in ("1E5", "0o7", "007"):
        assert f'"{word}"' in text


@pytest.mark.parametrize("format", ["xml", "yaml", "csv"])
def test_text_stays_text(format):
    written = {
        "xml": "<root><sku>007</sku><on>true</on></root>",
        "yaml": "sku: 007\non: true",
        "csv": "sku,on\r\n007,true\r\n",
    }
    assert read(format, written[format]) == {"sku": "007", "on": "true"}


@pytest.mark.parametrize("format", ["xml", "yaml"])
def test_numbers_and_words_are_written_as_json_has_them(format):
    renderer, parser = PAIRS[format]
    text = renderer().render({"n": 5, "x": 0.5, "on": True, "off": False})
    read_again = parser().parse(io.BytesIO(text.encode()))
    assert read_again == {"n": "5", "x": "0.5", "on": "true", "off": "false"}


BOMB = """<?xml version="1.0"?><!DOCTYPE root [
<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>
<root><sku>&c;</sku></root>"""
EXTERNAL = """<!DOCTYPE root [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<root><sku>&x;</sku></root>"""
PARAMETER = """<!DOCTYPE root [<!ENTITY % x SYSTEM "http://192.0.2.1/x"> %x;]><root/>"""
DEEP = MAX_DEPTH + 1
MANY = MAX_NODES + 1
REFUSED = {
    "xml bomb": ("xml", BOMB, "entities"),
    "xml external": ("xml", EXTERNAL, "entities"),
    "xml parameter": ("xml", PARAMETER, "entities"),
    "xml doctype": ("xml", "<!DOCTYPE root><root/>", "document type"),
    "xml deep": ("xml", "<a>" * 100_000, "deeper"),
    "xml many": ("xml", f"<a>{'<b/>' * MANY}</a>", "more than"),
    "xml broken": ("xml", "<a>\n<b></a>", "line 2, column 6"),
    "xml empty": ("xml", "", "line 1"),
    "xml mixed": ("xml", "<a>text<b>1</b></a>", "beside"),
    "xml twice": ("xml", "<a><b>1</b><b>2</b></a>", "twice"),
    "xml attribute": ("xml", '<a href="x"/>', "href"),
    "xml encoding": ("xml", '<?xml version="1.0" encoding="zlib"?><a/>', "XML"),
    "xml unknown": ("xml", '<?xml version="1.0" encoding="none"?><a/>', "XML"),
    "yaml bomb": ("yaml", "a: &a [x,x]\nb: &b [*a,*a]", "an anchor"),
    "yaml alias": ("yaml", "a: *a", "alias"),
    "yaml tag": ("yaml", "!!python/object/apply:os.system ['id']", "a tag"),
    "yaml int": ("yaml", "a: !!int 5", "a tag"),
    "yaml merge": ("yaml", "<<: *x", "alias"),
    "yaml two": ("yaml", "a: 1\n---\nb: 2", "second document"),
    "yaml deep": ("yaml", "[" * DEEP + "]" * DEEP, "deeper"),
    "yaml very deep": ("yaml", "[" * 100_000, "deeper"),
    "yaml many": ("yaml", f"[{'x,' * MANY}]", "more than"),
    "yaml broken": ("yaml", "a: [1,\nb: }", "line 2"),
    "yaml twice": ("yaml", "a: 1\na: 2", "twice"),
    "yaml key": ("yaml", "[1]: 2", "no text"),
    "yaml control": ("yaml", "a: \x01", "YAML"),
    "csv nul": ("csv", "sku\n0\x007", "NUL"),
    "csv encoding": ("csv", b"sku\n\xff", "byte 5"),
    "csv quotes": ("csv", 'sku\n"a" b\n', "line 2"),
    "csv long": ("csv", "sku,name\n1,2,3\n", "3 cells at line 2"),
    "csv twice": ("csv", "sku,sku\n1,2\n", "twice"),
    "csv empty": ("csv", "", "name the columns"),
    "csv two": ("csv", "sku\n1\n2\n", "2 rows"),
    "csv none": ("csv", "sku\n", "0 rows"),
    "csv wide": ("csv", ",".join(map(str, range(101))), "columns"),
    "csv cell": ("csv", f"sku\n{'x' * 200_000}\n", "line 2"),
    "json broken": ("json", '{"a": 1,\n"b"}', "line 2, column 4"),
    "json deep": ("json", "[" * 100_000, "nested"),
    "json nan": ("json", '{"a": NaN}', "NaN"),
    "json digits": ("json", "1" * 5_000, "digits"),
    "json twice": ("json", '{"a": 1, "a": 2}', "twice"),
    "json nul": ("json", '{"a": "\x00"}', "NUL"),
    "json encoding": ("json", '{"a": "ä"}'.encode("latin-1"), "UTF-8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_bodies_are_refused_with_their_place(name):
    format, data, word = REFUSED[name]
    assert word in refusal(format, data)


def test_formulas_come_back_as_they_were():
    rows = [{"a": "=1+1"}, {"a": "'=1"}, {"a": "-5"}, {"a": "'tis"}, {"a": "\t=x"}]
    text = CsvRenderer().render(rows)
    assert "\r\n'=1+1\r\n''=1\r\n'-5\r\n'tis\r\n" in text
    assert read("csv", text, Rows) == rows


def test_formulas_are_texts_in_workbooks():
    data = XlsxRenderer().render([{"=head": "=1+1", "n": 5, "none": None, "x": "#N/A"}])
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    kinds = [[cell.data_type for cell in row] for row in sheet.iter_rows()]
    assert kinds == [["s"] * 4, ["s", "n", "n", "s"]]
    assert [sheet["A1"].value, sheet["A2"].value] == ["'=head", "'=1+1"]
    assert [sheet["B2"].value, sheet["C2"].value] == [5, None]


class Offer(serializers.Serializer):
    price = serializers.DecimalField(max_digits=12, decimal_places=2)
    exact = serializers.DecimalField(max_digits=20, decimal_places=1)
    at = serializers.DateTimeField(default_timezone=ZoneInfo("Europe/Berlin"))
    day = serializers.DateField()
    note = serializers.CharField()


class Offers(serializers.Serializer):
    best = Offer()


class Report(Offers):
    results = Offer(many=True)


OFFER = {
    "price": Decimal("-1234567890.12"),
    "exact": Decimal("1234567890123456789.5"),
    "at": datetime(2026, 7, 1, 14, 30, 1, 123_999, UTC),
    "day": date(2026, 7, 1),
    "note": "2026-07-01T14:30:01Z",
}
OLD = {"at": datetime(1888, 1, 1, tzinfo=UTC), "day": date(1888, 1, 1)}


@pytest.mark.parametrize("kind", ["object", "list", "page", "report"])
def test_workbooks_hold_what_a_serializer_says_that_it_is(kind):
    nothing = dict.fromkeys(OFFER) | {"note": "none"}
    rows = Offer([OFFER, OFFER | OLD | {"note": "=1+1"}, nothing], many=True).data
    data = {
        "object": lambda: Offer(OFFER).data,
        "list": lambda: rows,
        "page": lambda: {"count": 3, "results": rows},
        "report": lambda: Report({"best": OFFER, "results": [OFFER]}).data,
    }[kind]()
    sheet = openpyxl.load_workbook(io.BytesIO(XlsxRenderer().render(data))).active
    head, first, *rest = sheet.iter_rows()
    assert [cell.value for cell in head] == list(OFFER)
    assert [cell.value for cell in first] == [
        -1234567890.12,
        "1234567890123456789.5",
        datetime(2026, 7, 1, 16, 30, 1, 123_000),
        datetime(2026, 7, 1),
        "2026-07-01T14:30:01Z",
    ]
    assert [cell.data_type for cell in first] == ["n", "s", "d", "d", "s"]
    assert first[0].number_format == "0.00"
    if rest:
        old, empty = rest
        assert [cell.value for cell in old[2:]] == [
            "1888-01-01T00:53:28+00:53:28",
            "1888-01-01",
            "'=1+1",
        ]
        assert [cell.value for cell in empty] == [None] * 4 + ["none"]


def test_workbooks_hold_what_is_nested_alike():
    data = Offers({"best": OFFER}).data
    sheet = openpyxl.load_workbook(io.BytesIO(XlsxRenderer().render(data))).active
    found = dict(zip(*sheet.values, strict=True))
    assert found["best.price"] == -1234567890.12
    assert found["best.at"] == datetime(2026, 7, 1, 16, 30, 1, 123_000)
    # Times are shown, not ####.
    assert sheet.sheet_format.defaultColWidth >= len("2026-07-01 14:30:01")


@pytest.mark.parametrize("delimiter", ",;\t")
def test_csv_of_spreadsheets(delimiter):
    text = f"\ufeffsku{delimiter}name\r\n007{delimiter}“Mug”\r\n\r\n"
    assert read("csv", text) == {"sku": "007", "name": "“Mug”"}


def test_a_table_of_what_is_nested():
    page = {"count": 2, "results": [{"a": {"b": [1, None]}}, {"c": []}, {"c": "x"}]}
    text = CsvRenderer().render(page)
    assert text == "a.b.0,a.b.1,c\r\n1,,\r\n,,\r\n,,x\r\n"


def test_no_body_is_none():
    for renderer in (XmlRenderer, YamlRenderer, CsvRenderer, XlsxRenderer):
        assert not renderer().render(None)


def test_characters_that_xml_cannot_have():
    text = XmlRenderer().render({"a": "x\x0b\ud800y"})
    assert read("xml", text) == {"a": "x\ufffd\ufffdy"}


def test_json_reads_what_json_is():
    written = {"a": [1, 0.5, True, None, "ä"], "b": {}}
    assert read("json", json.dumps(written)) == written
    assert read("json", "\ufeff" + json.dumps(written)) == written
