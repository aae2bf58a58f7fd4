"""XML in and out: an object's fields are elements, a list's members `item` elements.

Reads bodies through defusedxml: no document type, no entities, nothing from elsewhere.
Without attributes ``type`` and ``nil`` an element is text, or an object if it has
elements inside; they tell an empty list, an empty object and null from empty text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import XMLGenerator

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError as XmlError
from defusedxml.ElementTree import iterparse
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from api.formats.tree import Limits, Tree, plain

ROOT, ITEM, ENTRY = "root", "item", "entry"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
ATTRIBUTES = {"type", "nil", "name"}
is_name = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*").fullmatch
not_xml = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class XmlRenderer(BaseRenderer):
    media_type = "application/xml"
    format = "xml"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        if data is None:
            return ""
        file = io.StringIO()
        out = XMLGenerator(file, "utf-8", short_empty_elements=True)
        out.startDocument()
        _write(out, ROOT, plain(data))
        return file.getvalue()


def _write(out: XMLGenerator, name: str, value: Tree) -> None:
    attributes = _attributes(value)
    if name not in (ROOT, ITEM) and not is_name(name):
        name, attributes = ENTRY, attributes | {"name": not_xml.sub(UNKNOWN, name)}
    out.startElement(name, attributes)
    if isinstance(value, dict):
        for key, inner in value.items():
            _write(out, key, inner)
    elif isinstance(value, list):
        for inner in value:
            _write(out, ITEM, inner)
    elif value is not None:
        _write_text(out, value)
    out.endElement(name)


def _write_text(out: XMLGenerator, value: Any) -> None:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    parts = not_xml.sub(UNKNOWN, text).split("\r")
    out.characters(parts[0])
    for part in parts[1:]:
        # A bare one would be read as the end of a line.
        out.ignorableWhitespace("&#13;")
        out.characters(part)


def _attributes(value: Tree) -> dict[str, str]:
    if value is None:
        return {"nil": "true"}
    if isinstance(value, list):
        return {"type": "list"}
    return {"type": "object"} if value == {} else {}


class XmlParser(BaseParser):
    media_type = "application/xml"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Tree:
        try:
            return _value(_tree(stream))
        except XmlError as error:
            line, column = getattr(error, "position", (0, 0))
            raise ParseError(
                f"The body is not XML: {str(error).partition(':')[0]}, at line {line}, "
                f"column {column + 1}."
            ) from None
        except DefusedXmlException:
            raise ParseError(
                "The XML declares a document type or entities, which are not read."
            ) from None
        except (ValueError, LookupError):
            # Such as an encoding that nobody knows.
            raise ParseError("The body is not XML that can be read.") from None


def _tree(stream: Any) -> Any:
    """The root element. Depth and number are bounded while it is built."""
    limits, depth, root = Limits("XML"), 0, None
    for event, element in iterparse(stream, ("start", "end"), forbid_dtd=True):
        if event == "end":
            depth -= 1
            continue
        depth += 1
        limits.node(depth)
        root = element if root is None else root
    return root


def _value(element: Any) -> Tree:
    if unknown := set(element.attrib) - ATTRIBUTES:
        raise ParseError(
            f"The XML's element “{_name(element)}” has the attribute "
            f"“{sorted(unknown)[0][:40]}”, which is not read."
        )
    if element.get("nil") == "true":
        return None
    inner = list(element)
    kind = element.get("type")
    if not inner and kind not in ("list", "object"):
        return element.text or ""
    _refuse_mixed(element, inner)
    if kind == "list" or (inner and all(each.tag == ITEM for each in inner)):
        return [_value(each) for each in inner]
    return _object(inner)


def _object(inner: list[Any]) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for each in inner:
        name = _name(each)
        if name in found:
            raise ParseError(f"The XML has “{name[:40]}” twice in one element.")
        found[name] = _value(each)
    return found


def _name(element: Any) -> str:
    return element.get("name", element.tag) if element.tag == ENTRY else element.tag


def _refuse_mixed(element: Any, inner: list[Any]) -> None:
    texts = [element.text, *(each.tail for each in inner)]
    if any(text and text.strip() for text in texts):
        raise ParseError(
            f"The XML's element “{_name(element)[:40]}” has text beside elements."
        )
