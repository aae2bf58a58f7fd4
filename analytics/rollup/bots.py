"""Tells programs from people by their user agent.

Sources: the list of crawler-user-agents, and the few of ours that it lacks. Reads
nothing else, writes nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache

import crawleruseragents

BEGINNINGS = (
    # Libraries and tools that name themselves and nothing else. Not those that apps of
    # people are made with: okhttp, Dart, CFNetwork.
    *("ApacheBench/", "Bun/", "Deno/", "Faraday ", "GuzzleHttp/", "HTTPie/", "Java/"),
    *("Java-http-client/", "PHP/", "PostmanRuntime/", "PycURL/", "RestSharp/", "Ruby"),
    *("Symfony HttpClient", "Typhoeus ", "aria2/", "hackney/", "hey/", "http.rb/"),
    *("insomnia/", "k6/", "lua-resty-http/", "node", "reqwest/", "undici", "vegeta/"),
    *("libcurl", "wrk/", "siege/", "python-", "Apache-Http", "NewRelicPinger/"),
    "Microsoft Office Existence Discovery",
)
"""How agents of programs start."""
WORDS = (
    # No browser tells where to read about it.
    *("+http://", "+https://", "+mailto:"),
    *("-Bot/", "PowerShell/"),
    *("kube-probe/", "HealthChecker/", "GoogleHC/", "Health-Check-Service"),
    *("Consul Health Check", "Envoy/HC"),
    *("gobuster/", "feroxbuster/", "Fuzz Faster U Fool", "DirBuster", "Wfuzz/"),
    *("projectdiscovery", "Acunetix", "OpenVAS", "Nessus"),
)
"""What stands anywhere in agents of programs."""
COMPATIBLE = (
    r"^Mozilla/\d\.\d+[ +]\(compatible; (?!U;|MSIE|Konqueror|iCab|OmniWeb|NetPositive|"
    r"IBrowse|AmigaVoyager|Dillo|NetFront|WebTV)"
)
"""Mozilla's first word, as some old browsers wrote it, and since then only programs."""
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
    for word in WORDS:
        texts[word[:_START]].append(word)
    rest = [COMPATIBLE]
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
    if not agent or agent.startswith(BEGINNINGS):
        return True
    for place in range(len(agent) - _START + 1):
        for text in _TEXTS.get(agent[place : place + _START], ()):
            if agent.startswith(text, place):
                return True
    return _REST.search(agent) is not None
