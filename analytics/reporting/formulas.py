"""Text on its way into and out of spreadsheets, which may take it for a formula.

Reads nothing and writes nothing. Never changes a value that isn't text, and
never loses any: `plain_text(safe_cell(text)) == text` for every text. A workbook
alone loses what XML cannot hold.

A text that is a formula behind any number of quotes gets one quote more, and
loses one on its way back. So `=1` travels as `'=1`, `'=1` as `''=1`, and `'tis`,
behind whose quote is no formula, as it is.
"""

import re
from typing import Any

QUOTE = "'"

# Control characters begin a formula by themselves: programs drop them, and read
# what follows. Spaces, also those that nobody sees, are only skipped.
_FORMULA = re.compile("'*[\\s\u200b-\u200f\u2060\ufeff]*[=+\\-@\t\r\n\0＝＋－＠]")
# What XML cannot hold, and what takes the place of it.
_IMPOSSIBLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might take this for a formula, quotes left aside."""
    return _FORMULA.match(text) is not None


def safe_cell(value: Any) -> Any:
    """The value, with a quote before it where it is text that may be a formula."""
    if isinstance(value, str) and is_formula(value):
        return QUOTE + value
    return value


def plain_text(text: str) -> str:
    """What `safe_cell` was given, from what it made of it."""
    if text.startswith(QUOTE) and is_formula(text[1:]):
        return text[1:]
    return text


def text_cell(sheet: Any, text: str) -> Any:
    """What a sheet that openpyxl only writes may append for a text: itself, or a cell
    that says that it is one, and no formula or error."""
    text = _IMPOSSIBLE.sub(_REPLACEMENT, text)
    if not is_formula(text) and not text.startswith("#"):
        return text
    # It is an extra of this app.
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    # A spreadsheet's own mark of a text: it stays one when the cell is edited.
    cell.quotePrefix = True
    return cell
