"""The first sheet of an XLSX workbook, row by row.

Reads an archive's directory before anything of it is inflated, and its XML through
defusedxml. Writes nothing. Never follows links, runs macros or computes formulas.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import openpyxl
from openpyxl.packaging.manifest import Manifest
from openpyxl.xml.constants import ARC_CONTENT_TYPES, XLSM, XLSX, XLTM, XLTX
from openpyxl.xml.functions import fromstring

from products.imports.refusal import Refused

ZIP_SIGNATURE = b"PK\x03\x04"
MAX_ENTRIES = 200
MAX_INFLATED = 32 * 1024 * 1024
MAX_RATIO = 100
SMALL = 1024 * 1024
"""Bytes that do no harm, however well they were compressed."""
MAX_TAGS = 2_000_000
"""In the sheets and their texts: 20,000 rows as full as they may be."""
MAX_OTHER_TAGS = 100_000
"""In each other part. Styles and names become large objects, however short they are."""
CONTENT = ("xl/worksheets/", "xl/sharedstrings.xml")
CHUNK = 1 << 16
FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
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
    except Refused:
        raise
    except Exception:
        # Whatever a broken or hostile file makes the parser raise.
        raise Refused(UNREADABLE) from None


def _rows(data: bytes) -> Iterator[tuple[Any, ...]]:
    """A formula that was never computed would pass for an empty cell."""
    if not _has_formulas(data):
        yield from _cells(data, data_only=True)
        return
    both = zip(_cells(data, data_only=True), _cells(data, data_only=False), strict=True)
    for number, (values, texts) in enumerate(both, 1):
        pairs = zip(values, texts, strict=True)
        if any(value is None and text is not None for value, text in pairs):
            raise Refused(
                f"Row {number} has a formula without a value. Open the file in a "
                "spreadsheet program and save it there, or put the value in."
            )
        yield values


def _has_formulas(data: bytes) -> bool:
    archive = zipfile.ZipFile(io.BytesIO(data))
    sheets = (name for name in archive.namelist() if name.startswith(CONTENT[0]))
    return any(FORMULA.search(archive.read(name)) for name in sheets)


def _cells(data: bytes, data_only: bool) -> Iterator[tuple[Any, ...]]:
    # It warns of styles and extensions, which do not matter here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(
            io.BytesIO(data), read_only=True, data_only=data_only, keep_links=False
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
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
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
    try:
        _check_tags(archive)
        _check_place(archive)
    except Refused:
        raise
    except Exception:
        raise Refused(UNREADABLE) from None


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


def _check_tags(archive: zipfile.ZipFile) -> None:
    """A tag of a few bytes becomes an object of hundreds."""
    content = 0
    for entry in archive.infolist():
        tags = _tags(archive, entry)
        if entry.filename.lower().startswith(CONTENT):
            content, tags = content + tags, 0
        if content > MAX_TAGS or tags > MAX_OTHER_TAGS:
            raise Refused("The workbook is too complex. Import it as CSV.")


def _tags(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """As many as there are, or more, whatever the encoding."""
    with archive.open(entry) as part:
        return sum(chunk.count(b"<") for chunk in iter(lambda: part.read(CHUNK), b""))


def _check_place(archive: zipfile.ZipFile) -> None:
    """The workbook's own part must not pass for one that may have more tags."""
    manifest = Manifest.from_tree(fromstring(archive.read(ARC_CONTENT_TYPES)))
    for kind in (XLTM, XLTX, XLSM, XLSX):
        part = manifest.find(kind)
        if part and part.PartName.lower() != f"/{NEEDED}":
            raise Refused(UNREADABLE)
