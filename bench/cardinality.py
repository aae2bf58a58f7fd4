"""A million requests that have nothing in common: what they leave is bounded.

Each has a URL, referrer, method, host, user agent, language, campaign and country made
up at random, as scanners make them up. A child process drains them in ten parts.
Measured are the rows of a day beside their bound, the keys in Redis, and the child's
memory. Verifies that what was sent is what ``total`` counts.
"""

from __future__ import annotations

import json
import random
import string
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

from analytics.recording.event import VISITOR_BITS, RequestEvent, encode

from . import report
from .report import Line, progress, spaced
from .workspace import enter, workspace

REQUESTS = 1_000_000
QUICK = 50_000
PARTS = 10
PER_BATCH = 200
"""Random text is long, and a batch has at most 256 kB."""
SECONDS = 3_600.0
"""Over which the requests of a part came in."""
GROWTH_MB = 30
"""From a tenth to all of them. At a tenth the caches of agents are full."""
LETTERS = string.ascii_letters + string.digits
STATUSES = (404,) * 8 + (200, 500)


def measure(quick: bool) -> Iterator[Line]:
    count = QUICK if quick else REQUESTS
    with workspace() as valkey:
        from . import serving
        from .filling import new_producers, put

        stream, offsets = serving.get_stream(timeout=10), new_producers()
        child = _child(str(valkey.folder.parent))
        rss, keys = [], []
        for part in range(PARTS):
            progress(f"cardinality: part {part + 1} of {PARTS}")
            put(stream, _lines(part, count // PARTS), PER_BATCH, offsets)
            rss.append(_ask(child)["rss_mb"])
            keys.append(stream.client.dbsize())
        _end(child)
        yield from _lines_of_result(sum(offsets.values()), serving.total(), rss, keys)


def _lines(seed: int, count: int) -> Iterator[bytes]:
    """Journal lines of requests that came in just now."""
    dice = random.Random(seed)
    first = int((time.time() - SECONDS) * 1000)
    for number in range(count):
        yield encode(_event(dice, first + int(number * SECONDS * 1000 / count)))


def _event(dice: random.Random, moment: int) -> RequestEvent:
    status = dice.choice(STATUSES)
    return RequestEvent(
        time=moment,
        method=_word(dice, 8),
        # A project's own patterns are not made up by those who ask.
        route="" if status == 404 else "/page/<slug:slug>/",
        view="" if status == 404 else "page",
        status=status,
        duration=dice.randrange(10**6),
        bytes=dice.randrange(10**5),
        exception="ValueError" if status == 500 else "",
        user=_word(dice, 6) if dice.random() < 0.1 else "",
        staff=False,
        visitor=dice.getrandbits(VISITOR_BITS),
        referrer=f"{_word(dice, 12)}.example.org",
        language=_word(dice, 5).lower(),
        agent=f"Mozilla/5.0 ({_word(dice, 20)}) {_word(dice, 9)}/{_word(dice, 5)}",
        page=status == 200,
        kwargs={},
        host=f"{_word(dice, 10)}.example.com",
        campaign=f"{_word(dice, 6)} / {_word(dice, 4)} / -",
        country="".join(dice.choices(string.ascii_uppercase, k=2)),
        path=f"/{_word(dice, 20)}",
    )


def _word(dice: random.Random, length: int) -> str:
    return "".join(dice.choices(LETTERS, k=length))


def _lines_of_result(
    sent: int, counted: int, rss: list[float], keys: list[int]
) -> Iterator[Line]:
    rows, bound = _largest_day()
    memory = [spaced(rss[part]) for part in (0, PARTS // 2 - 1, PARTS - 1)]
    yield Line(
        what=f"{spaced(sent)} random requests: rows of a day",
        peers="",
        ours=f"{spaced(rows)} rows",
        target=f"≤ {spaced(bound)} (dimensions × buckets × cap × audiences)",
        reached=rows <= bound and sent == counted,
        verified=report.counts(sent, counted),
    )
    yield Line(
        what="what the drain of random requests takes",
        peers="",
        ours="RSS {} MB at 10 %, {} MB at 50 %, {} MB at 100 %; ".format(*memory)
        + f"{keys[0]} keys in Redis, {keys[-1]}",
        target=f"≤ {GROWTH_MB} MB more, no key more",
        reached=max(rss) <= rss[0] + GROWTH_MB and len(set(keys)) == 1,
        verified=f"largest RSS {spaced(max(rss))} MB",
    )


def _largest_day() -> tuple[int, int]:
    """Rows of the day that has most of them, and how many it could have."""
    from analytics.conf import get_config
    from analytics.models import Rollup

    zone = get_config().zone
    rows: Counter[date] = Counter()
    buckets: dict[tuple[date, int], set[datetime]] = defaultdict(set)
    for grain, bucket in Rollup.objects.values_list("grain", "bucket").iterator():
        day = bucket.astimezone(zone).date()
        rows[day] += 1
        buckets[day, grain].add(bucket)
    day, most = rows.most_common(1)[0]
    return most, _bound({grain: len(buckets[day, grain]) for grain in range(3)})


def _bound(buckets: Mapping[int, int]) -> int:
    """Dimensions by grains by cap by audiences, with so many buckets of a grain."""
    from analytics.models import Audience
    from analytics.rollup.dimensions import get_dimensions

    # ``(other)`` is a key, too.
    return sum(
        (dimension.cap + 1) * buckets[grain] * len(Audience)
        for dimension in get_dimensions()
        for grain in dimension.grains
    )


def _child(folder: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.cardinality", "child", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _ask(child: subprocess.Popen[str]) -> dict[str, Any]:
    """Have it drain what waits."""
    assert child.stdin
    assert child.stdout
    print("drain", file=child.stdin, flush=True)
    return json.loads(child.stdout.readline())


def _end(child: subprocess.Popen[str]) -> None:
    assert child.stdin
    child.stdin.close()
    assert child.wait(60) == 0


def drain(folder: str, orders: IO[str]) -> None:
    """The child: for each line it is sent, drains what waits, and says what it took."""
    enter(folder, f"unix://{folder}/redis.sock")
    from analytics.conf import get_stream
    from analytics.rollup.drain import Drain

    worker = Drain(get_stream(timeout=10))
    for _ in orders:
        while worker.run().events:
            pass
        print(json.dumps({"rss_mb": _rss_mb()}), flush=True)


def _rss_mb() -> float:
    """The resident memory of this process now. Linux only."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        drain(sys.argv[2], sys.stdin)
    else:
        report.main(measure)
