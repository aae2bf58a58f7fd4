"""Makes events of requests, from what is known without asking anybody.

Reads the headers as WSGI spells them; every adapter brings these, and says which route
and view answered. Addresses and query strings stay here. Needs no Django.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from .country import countries
from .event import AGENT_LIMIT, BODILESS, METHODS, NOBODY, RequestEvent, clean
from .headers import (
    LANGUAGE_READ,
    campaign,
    country_code,
    first_language,
    referrer_host,
)
from .visitor import PERIODS, VisitorHash, client_address

logger = logging.getLogger("analytics")
CLIENT_LEFT = 499
"""Not a status of HTTP: nginx's word for a client that did not wait."""
NO_KWARGS: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site lets its recorder keep of a request."""

    key: bytes
    host_of: Callable[[str], str]
    """From a Host header to one of the own hosts; empty for all others."""
    proxies: int = 0
    visitor_period: str = "stable"
    record_users: bool = False
    record_paths: bool = False
    honour_dnt: bool = False
    country_header: str = ""
    """As WSGI spells it."""
    country_database: Path | None = None
    forwarded_host: bool = False
    """Whether a proxy's ``X-Forwarded-Host`` is believed."""


class Maker:
    """Makes the events of one site, the same whatever framework answers."""

    def __init__(self, policy: Policy) -> None:
        self._proxies = policy.proxies
        self._users = policy.record_users
        self._paths = policy.record_paths
        self._honours_signals = policy.honour_dnt
        self._forwarded_host = policy.forwarded_host
        self._country_header = policy.country_header
        self._country_of = _countries(policy.country_database)
        self._period = PERIODS[policy.visitor_period]
        self._visitor = VisitorHash(policy.key).of
        # What comes again and again is cleaned once. Bounded, as are the keys.
        self._client = lru_cache(maxsize=8_192)(self._client_of)
        self._host = lru_cache(maxsize=256)(policy.host_of)

    def make(
        self,
        meta: Mapping[str, Any],
        method: str | None,
        path: str,
        target: tuple[str, str, dict[str, str]],
        user: tuple[str, bool],
        status: int,
        arrived: int,
        started: int,
        length: int,
        exception: str,
        page: bool,
    ) -> RequestEvent:
        """An event of a request.

        ``target`` is route, view and declared kwargs, ``user`` an id and whether staff,
        all clean; ``arrived`` and ``started`` are in nanoseconds.
        """
        address = meta.get("REMOTE_ADDR") or ""
        if self._proxies:
            forwarded = meta.get("HTTP_X_FORWARDED_FOR", "")
            address = client_address(address, forwarded, self._proxies)
        visitor, agent, language, country = self._client(
            address,
            meta.get("HTTP_USER_AGENT", "")[:AGENT_LIMIT],
            meta.get("HTTP_ACCEPT_LANGUAGE", "")[:LANGUAGE_READ],
            self._period(arrived) if self._period else "",
        )
        if self._country_header:
            told = country_code(meta.get(self._country_header, "")[:8])
            country = told or country
        route, view, kwargs = target
        name, staff = user
        referrer = meta.get("HTTP_REFERER")
        host = meta.get("HTTP_HOST", "")
        if self._forwarded_host:
            host = meta.get("HTTP_X_FORWARDED_HOST", host)
        source = referrer_host(referrer, host) if referrer else ""
        query = meta.get("QUERY_STRING")
        named = campaign(query) if query else ""
        if self._honours_signals and _asks_not_to_be_followed(meta):
            visitor, name = NOBODY, ""
            source = named = language = country = ""
        return RequestEvent(
            arrived // 1_000_000,
            method if method in METHODS else clean(method or "", 20),
            route,
            view,
            status,
            (perf_counter_ns() - started) // 1000 or 1,
            0 if method == "HEAD" or status in BODILESS else length,
            exception,
            name if self._users else "",
            staff,
            visitor,
            source,
            language,
            agent,
            page,
            kwargs,
            self._host(host),
            named,
            country,
            clean(path) if self._paths else "",
        )

    def _client_of(
        self, address: str, agent: str, language: str, period: str
    ) -> tuple[int, str, str, str]:
        """Visitor, user agent, language and country of who sends these headers."""
        agent = clean(agent, AGENT_LIMIT)
        visitor = self._visitor(address, agent, period)
        return visitor, agent, first_language(language), self._country_of(address)


def _countries(database: Path | None) -> Callable[[str], str]:
    """The site starts without countries rather than not at all; a check tells why."""
    try:
        return countries(database)
    except (ImportError, OSError, ValueError) as error:
        logger.error("Countries are not recorded: %s", error)
        return countries(None)


def _asks_not_to_be_followed(meta: Mapping[str, Any]) -> bool:
    return meta.get("HTTP_DNT") == "1" or meta.get("HTTP_SEC_GPC") == "1"


def is_page(
    method: str | None, status: int, kind: str | None, meta: Mapping[str, Any]
) -> bool:
    """Whether this is a view: HTML that somebody asked for to look at.

    A GET answered 2xx or 304, neither fetched ahead of time nor a fragment of a
    page. A 304 has no type; then what the browser wants to see tells.
    """
    if method != "GET" or not (200 <= status < 300 or status == 304):
        return False
    if kind is None:
        kind = meta.get("HTTP_ACCEPT", "") if status == 304 else ""
    return (
        kind.startswith("text/html")
        and "prefetch" not in meta.get("HTTP_SEC_PURPOSE", "")
        and meta.get("HTTP_SEC_FETCH_DEST", "document") == "document"
        and "HTTP_HX_REQUEST" not in meta
        and "HTTP_X_REQUESTED_WITH" not in meta
    )
