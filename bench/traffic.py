"""Traffic that looks real: visitors, browsers and bots, routes, statuses.

Writes nothing. The same seed gives the same traffic.
"""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Iterator
from itertools import accumulate

from analytics.recording.event import VISITOR_BITS, RequestEvent, encode

ROUTES = 200
VISITORS = 20_000
SESSIONS = 2_000
USERS = 1_000
LANGUAGES = ("en-GB,en;q=0.9", "de-DE,de;q=0.9,en;q=0.5", "fr-FR,fr;q=0.8", "es-ES")
SYSTEMS = (
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "Linux; Android 10; K",
)
BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "curl/8.5.0",
)
BROWSERS = tuple(
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) "
    f"Chrome/{version}.0.0.0 Safari/537.36"
    for system in SYSTEMS
    for version in range(120, 145)
) + tuple(
    f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
    for system in SYSTEMS[:3]
    for version in range(130, 145)
)
REFERRERS = ("", "", "", "www.example.org", "search.example.com", "news.example.net")
STATUSES = (200,) * 88 + (304,) * 4 + (302,) * 3 + (404,) * 3 + (500, 403)
METHODS = ("GET",) * 92 + ("POST",) * 6 + ("HEAD", "OPTIONS")


def environs(seed: int, count: int) -> list[dict[str, object]]:
    """WSGI environments of ``bench.pages``, as browsers make them behind a server.

    They come from some two thousand visitors, of whom some come often and most do not.
    """
    rng = random.Random(seed)
    people = [_browser(random.Random(n)) for n in range(SESSIONS)]
    chosen = (
        min(int(rng.expovariate(4) * SESSIONS), SESSIONS - 1) for _ in range(count)
    )
    return [_environ(rng, people[n]) for n in chosen]


def _browser(rng: random.Random) -> dict[str, object]:
    return {
        "REMOTE_ADDR": f"198.51.100.{rng.randrange(256)}",
        "HTTP_USER_AGENT": rng.choice(BROWSERS),
        "HTTP_ACCEPT_LANGUAGE": rng.choice(LANGUAGES),
    }


def _environ(rng: random.Random, browser: dict[str, object]) -> dict[str, object]:
    path = f"/shop/section-{rng.randrange(9)}/{rng.randrange(10_000)}/"
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "page=2&sort=price",
        **browser,
        "REMOTE_PORT": "50000",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost:8000",
        "HTTP_CONNECTION": "keep-alive",
        "HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8",
        "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
        "HTTP_REFERER": f"http://localhost:8000/shop/section-{rng.randrange(9)}/",
        "HTTP_SEC_FETCH_DEST": "document",
        "HTTP_SEC_FETCH_MODE": "navigate",
        "HTTP_SEC_FETCH_SITE": "same-origin",
        "HTTP_UPGRADE_INSECURE_REQUESTS": "1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def event_lines(
    seed: int, count: int, first_ms: int, seconds: float
) -> Iterator[bytes]:
    """Journal lines of ``count`` requests spread evenly over ``seconds``."""
    rng = random.Random(seed)
    people = _visitors(rng)
    routes = [f"/shop/section-{n % 9}/<int:page>/part-{n}/" for n in range(ROUTES)]
    weights = list(accumulate(1 / (n + 1) for n in range(ROUTES)))
    chosen = rng.choices(range(ROUTES), cum_weights=weights, k=count)
    step = seconds * 1000 / count
    for number, route in enumerate(chosen):
        time = first_ms + int(number * step + rng.random() * step)
        visitor = people[min(int(rng.expovariate(4) * VISITORS), VISITORS - 1)]
        yield encode(_event(rng, time, routes[route], route, visitor))


def _visitors(rng: random.Random) -> list[tuple[int, str, str, str]]:
    """Hash, user agent, language and user of each visitor."""
    return [
        (
            rng.getrandbits(VISITOR_BITS),
            rng.choice(BOTS if rng.random() < 0.1 else BROWSERS),
            rng.choice(LANGUAGES).partition(",")[0].lower(),
            str(rng.randrange(USERS)) if rng.random() < 0.05 else "",
        )
        for _ in range(VISITORS)
    ]


def _event(
    rng: random.Random,
    time: int,
    route: str,
    number: int,
    visitor: tuple[int, str, str, str],
) -> RequestEvent:
    who, agent, language, user = visitor
    status = rng.choice(STATUSES)
    method = rng.choice(METHODS)
    found = status != 404
    return RequestEvent(
        time=time,
        method=method,
        route=route if found else "",
        view=f"shop:part-{number}" if found else "",
        status=status,
        duration=int(rng.lognormvariate(9.5, 0.8)),
        bytes=rng.randrange(2_000, 40_000) if status == 200 else 0,
        exception="ValueError" if status == 500 else "",
        user=user,
        staff=user == "1",
        visitor=who,
        referrer=rng.choice(REFERRERS),
        language=language,
        agent=agent,
        page=method == "GET" and status in (200, 304),
        kwargs={},
    )
