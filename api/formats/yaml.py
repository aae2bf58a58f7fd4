"""YAML in and out, of the plain kind that JSON could say too.

Reads events, not objects: aliases, tags and second documents are refused where they
begin, so nothing is ever constructed, and nothing grows. Scalars are text, but null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from api.formats.tree import Limits, Tree, plain, text_of

# The C ones where PyYAML was built with them: twenty times as fast.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BaseDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
NULLS = ("", "~", "null", "Null", "NULL")
ONE_LETTER = ("y", "n")
"""Yes and no to some readers of YAML 1.1."""


class Dumper(BaseDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> yaml.ScalarNode:
    """In quotes wherever some version of YAML might see a number."""
    sure = text[:1].isalpha() and text.lower() not in ONE_LETTER
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if sure else '"'
    )


Dumper.add_representer(str, _text)


class YamlRenderer(BaseRenderer):
    media_type = "application/yaml"
    format = "yaml"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> str:
        if data is None:
            return ""
        return yaml.dump(
            plain(data), Dumper=Dumper, allow_unicode=True, sort_keys=False
        )


class YamlParser(BaseParser):
    media_type = "application/yaml"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Tree:
        try:
            return _Builder(text_of(stream, "YAML")).document()
        except yaml.MarkedYAMLError as error:
            place = _place(error.problem_mark) if error.problem_mark else ""
            raise ParseError(
                f"The body is not YAML: {error.problem or error.context}{place}."
            ) from None
        except yaml.YAMLError:
            raise ParseError(
                "The body is not YAML: it has characters that may not be in it."
            ) from None


class _Builder:
    """Makes one document of a stream of events."""

    def __init__(self, text: str) -> None:
        self.events = self.checked(yaml.parse(text, Loader=Loader))
        self.limits = Limits("YAML")

    def checked(self, events: Iterator[Any]) -> Iterator[Any]:
        documents = 0
        for event in events:
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                _refuse("a second document", event)
            if isinstance(event, yaml.AliasEvent):
                _refuse("an alias", event)
            if isinstance(event, yaml.NodeEvent) and event.anchor:
                _refuse("an anchor", event)
            if getattr(event, "tag", None) not in (None, "!"):
                _refuse("a tag", event)
            yield event

    def document(self) -> Tree:
        found: Tree = None
        for event in self.events:
            if isinstance(event, yaml.NodeEvent):
                found = self.node(event, 1)
        return found

    def node(self, event: Any, depth: int) -> Tree:
        self.limits.node(depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return list(self.members(yaml.SequenceEndEvent, depth))
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(event, depth)
        is_plain = not event.style
        return None if is_plain and event.value in NULLS else event.value

    def members(self, end: type, depth: int) -> Iterator[Tree]:
        while not isinstance(event := next(self.events), end):
            yield self.node(event, depth + 1)

    def mapping(self, start: Any, depth: int) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        members = self.members(yaml.MappingEndEvent, depth)
        for key in members:
            if not isinstance(key, str):
                _refuse("a name that is no text", start)
            if key in found:
                _refuse(f"“{key[:40]}” twice in one mapping", start)
            found[key] = next(members)
        return found


def _refuse(what: str, event: Any) -> None:
    raise ParseError(
        f"The YAML has {what}, which is not read{_place(event.start_mark)}."
    )


def _place(mark: Any) -> str:
    return f", at line {mark.line + 1}, column {mark.column + 1}"
