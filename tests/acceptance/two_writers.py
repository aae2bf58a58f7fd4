"""One of two writers of the same rollups; run as a process, with its way as argument.

``stream`` sends batches to the stream and drains it; ``direct`` hands entries that
were never in the stream to a drain of its own. Prints how often it had to plan anew
because the other one had written meanwhile.
"""

import random
import sys
import time

import django

ROUNDS = 100
PRODUCERS = 3
EVENTS = 20
ROUTES = 30


def batches(way: str, number: int) -> list:
    """A round's batches: each of a new producer, for the same routes in any order."""
    from analytics.recording.event import encode
    from analytics.recording.reader import Batch
    from tests.analytics.recording.events import event

    now = time.time_ns() // 1_000_000

    def line() -> bytes:
        route = f"/route/{random.randrange(ROUTES)}"
        return encode(event(time=now, route=route, visitor=random.randrange(2**53)))

    return [
        Batch(f"{way}{number}x{n}", 0, 0, tuple(line() for _ in range(EVENTS)))
        for n in range(PRODUCERS)
    ]


def info(recorded: int):
    from analytics.stream import ProducerInfo

    now = time.time()
    return ProducerInfo(recorded, "host", 1, now, now, closed=True)


def by_stream(drain, found: list) -> None:
    for batch in found:
        drain.stream.exchange(batch, batch.producer, info(EVENTS), b"")
    drain.run()


def directly(drain, found: list) -> None:
    stream = drain.stream
    entries = [stream.unpack(b"0-1", stream.pack(batch)) for batch in found]
    drain._apply(entries, {batch.producer: info(EVENTS) for batch in found})


def main(way: str) -> None:
    django.setup()
    from analytics.conf import get_stream
    from analytics.models import Writer
    from analytics.rollup.drain import Drain

    conflicts = 0
    claim = Writer.objects.claim

    def counting_claim(site: str, generation: int) -> bool:
        nonlocal conflicts
        won = claim(site, generation)
        conflicts += not won
        return won

    Writer.objects.claim = counting_claim
    drain = Drain(get_stream())
    write = by_stream if way == "stream" else directly
    for number in range(ROUNDS):
        write(drain, batches(way, number))
    print(conflicts)


if __name__ == "__main__":
    main(sys.argv[1])
