"""Text that a spreadsheet might take for a formula: made safe, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.reporting.formulas import plain_text, safe_cell

FORMULAS = (
    "=1+1",
    "==1+1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    " =1",
    "   \u00a0\u3000=1",
    "\u200b=1",
    "\ufeff=1",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "\tharmless behind a tab",
    "-",
    "=",
    "' =1",
)
HARMLESS = ("", "a", "a=1", "1-2", "'", "'tis", "' '=1", "/shop/", "é", "#REF!", " a")
trouble = st.text(alphabet=st.sampled_from("'=+-@\t\r\n\0 a＝＠\u200b"), max_size=8)


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_get_a_quote(text):
    assert safe_cell(text) == "'" + text
    assert plain_text("'" + text) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays(text):
    assert safe_cell(text) == text == plain_text(text)


@pytest.mark.parametrize("value", [-1, 1.5, None, True, b"=1"])
def test_what_is_no_text_stays(value):
    assert safe_cell(value) is value


def test_quotes_before_a_formula_are_kept_apart():
    assert safe_cell("'=1") == "''=1"
    assert plain_text("''=1") == "'=1"
    assert plain_text("'=1") == "=1"


@given(st.one_of(trouble, st.text(max_size=20)))
def test_nothing_is_lost(text):
    assert plain_text(safe_cell(text)) == text


@given(trouble)
def test_no_safe_cell_begins_like_a_formula(text):
    assert (
        not safe_cell(text).lstrip(" \n\u200b").startswith(tuple("=+-@\t\r\0＝＋－＠"))
    )
