"""The first sheet of an XLSX workbook, row by row.

Reads an archive's directory before anything of it is inflated, and its XML through
defusedxml. Writes nothing. Never follows links, runs macros or computes formulas.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import openpyxl

from products.imports.refusal import Refused

ZIP_SIGNATURE = b"PK\x03\x04"
MAX_ENTRIES = 200
MAX_INFLATED = 32 * 1024 * 1024
MAX_RATIO = 100
SMALL = 1024 * 1024
"""Bytes that do no harm, however well they were compressed."""
NEEDED = "xl/workbook.xml"
MACROS = "xl/vbaproject.bin"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNREADABLE = "The file is not an XLSX workbook that can be read."


def worksheet_rows(data: bytes) -> Iterator[tuple[Any, ...]]:
    """The cells of each row; formulas as the values that were saved with them."""
    if not openpyxl.DEFUSEDXML:
        raise Refused("XLSX can't be read safely: the package defusedxml is missing.")
    _check_archive(data)
    try:
        yield from _rows(data)
    except Exception:
        # Whatever a broken or hostile file makes the parser raise.
        raise Refused(UNREADABLE) from None


def _rows(data: bytes) -> Iterator[tuple[Any, ...]]:
    # It warns of styles and extensions, which do not matter here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(
            io.BytesIO(data), read_only=True, data_only=True, keep_links=False
        )
    try:
        sheet = book.worksheets[0]
        # What a file says about its size may be wrong, and then rows would be missing.
        sheet.reset_dimensions()
        yield from sheet.iter_rows(values_only=True)
    finally:
        book.close()


def _check_archive(data: bytes) -> None:
    """Sizes as the directory has them: no more than those is ever inflated."""
    try:
        entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise Refused(UNREADABLE) from None
    if len(entries) > MAX_ENTRIES:
        raise Refused(f"The workbook has more than {MAX_ENTRIES} parts.")
    inflated = sum(entry.file_size for entry in entries)
    if inflated > MAX_INFLATED:
        raise Refused(
            f"The workbook is larger than {MAX_INFLATED // 1024**2} MB when unpacked."
        )
    packed = sum(entry.compress_size for entry in entries)
    if inflated > SMALL and inflated > MAX_RATIO * packed:
        raise Refused(
            "The workbook is compressed more strongly than spreadsheets are. "
            "Import it as CSV."
        )
    _check_kind(entries)


def _check_kind(entries: list[zipfile.ZipInfo]) -> None:
    names = {entry.filename.lower() for entry in entries}
    if NEEDED not in names or len(names) < len(entries):
        raise Refused(UNREADABLE)
    if MACROS in names:
        raise Refused("The workbook contains macros. Save it as a plain XLSX file.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("The workbook is protected by a password.")
    if any(entry.compress_type not in METHODS for entry in entries):
        raise Refused(UNREADABLE)
