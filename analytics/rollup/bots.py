"""Tells programs from people by their user agent.

Source: the list of crawler-user-agents. Reads nothing else, writes nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache

import crawleruseragents

_START = 4
_SYNTAX = re.compile(r"(?<!\\)[.^$*+?{}\[\]|()]|\\[A-Za-z0-9]")


def _plain(pattern: str) -> str | None:
    """The one text that ``pattern`` matches, if it is no more than a text."""
    if _SYNTAX.search(pattern):
        return None
    text = re.sub(r"\\(.)", r"\1", pattern)
    return text if len(text) >= _START else None


def _sorted_out() -> tuple[dict[str, list[str]], re.Pattern[str]]:
    """The list's texts by how they start, and what is left of it, as one pattern.

    All of it in one pattern takes a hundred times as long for a browser's agent.
    """
    texts: dict[str, list[str]] = defaultdict(list)
    rest = []
    for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA:
        pattern = entry["pattern"]
        if text := _plain(pattern):
            texts[text[:_START]].append(text)
        else:
            rest.append(f"(?:{pattern})")
    return dict(texts), re.compile("|".join(rest))


_TEXTS, _REST = _sorted_out()


@lru_cache(maxsize=20_000)
def is_bot(agent: str) -> bool:
    """Whether a user agent is a program's; one that says nothing is."""
    if not agent:
        return True
    for place in range(len(agent) - _START + 1):
        for text in _TEXTS.get(agent[place : place + _START], ()):
            if agent.startswith(text, place):
                return True
    return _REST.search(agent) is not None
