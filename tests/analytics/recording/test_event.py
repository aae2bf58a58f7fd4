"""An event survives its journal line; text is clean and short; bounds are kept."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.recording.event import (
    KWARGS_LIMIT,
    TEXT_LIMIT,
    RequestEvent,
    clean,
    decode,
    decode_many,
    encode,
)
from tests.analytics.recording.events import event, event_with

ANY_TEXT = st.text(st.characters(codec=None), max_size=500)


@given(ANY_TEXT, st.integers(0, 300))
def test_clean_text_prints_and_is_short(text, limit):
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert cleaned.isprintable()
    assert cleaned.encode("utf-8").decode() == cleaned


@given(st.text(st.characters(categories=("L", "N", "P", "S")), max_size=TEXT_LIMIT))
def test_what_prints_is_kept(text):
    assert clean(text) == text


@pytest.mark.parametrize(
    ("dirty", "cleaned"),
    [
        ("a\r\nSet-Cookie: b", "aSet-Cookie: b"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\u202egnp.exe", "gnp.exe"),
        ("nul\0nul", "nulnul"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("é漢🎉", "é漢🎉"),
    ],
)
def test_what_does_not_print_is_dropped(dirty, cleaned):
    assert clean(dirty) == cleaned


@given(ANY_TEXT, ANY_TEXT)
def test_an_event_of_clean_text_survives_its_line(route, agent):
    recorded = event(route=clean(route), agent=clean(agent), kwargs={"slug": "a"})
    line = encode(recorded)
    assert b"\n" not in line
    assert decode(line) == recorded


def test_a_line_is_an_array_in_the_order_of_the_fields():
    names = RequestEvent.__struct_fields__
    assert names[0] == "time"
    assert msgspec.json.decode(encode(event()))[names.index("route")] == "/ok/"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time", -1),
        ("time", 2**53 + 1),
        ("time", 1.5),
        ("time", "1"),
        ("time", True),
        ("time", None),
        ("status", 99),
        ("status", 600),
        ("route", "r" * (TEXT_LIMIT + 1)),
        ("route", None),
        ("agent", 7),
        ("staff", 1),
        ("visitor", -5),
        ("bytes", "many"),
        ("kwargs", []),
        ("kwargs", {"slug": 1}),
        ("kwargs", {str(n): "" for n in range(KWARGS_LIMIT + 1)}),
    ],
)
def test_out_of_bounds_is_refused(field, value):
    with pytest.raises(msgspec.ValidationError):
        decode(event_with(**{field: value}))


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b"[NaN]", b"[Infinity]", b'"text"', b"[1", b"null"]
)
def test_what_is_no_event_is_refused(line):
    with pytest.raises(msgspec.DecodeError):
        decode(line)
    with pytest.raises(msgspec.DecodeError):
        decode_many(b"[" + encode(event()) + b"," + line + b"]")
