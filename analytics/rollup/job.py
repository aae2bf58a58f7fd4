"""The drain as a job: what the Celery task and ``analytics_drain`` both do.

Ships what dead processes left on this machine, then drains, every site in its turn.
Needs no Celery.
"""

from __future__ import annotations

import logging
import time
from collections import deque

from ..conf import get_config, get_stream
from ..recording.shipper import Shipper
from ..sites import to_drain
from .drain import RUN_SECONDS, Drain
from .plan import Tally

TURN_SECONDS = 3.0
"""Then it is the next site's turn, however much waits of this one."""
logger = logging.getLogger("analytics")


class SiteJob:
    """What is kept of a site between runs: connections, adopted journals, how much a
    commit bears."""

    def __init__(self, site: str) -> None:
        config = get_config().recorder
        self.site = site
        self.stream = get_stream(site=site)
        self.shipper = Shipper(
            self.stream,
            config.journal_dir,
            max_bytes=config.journal_max_bytes,
            max_batches=config.stream_max_batches,
        )
        self.drain = Drain(self.stream)

    def first_turn(self, seconds: float) -> Tally:
        try:
            self.shipper.sweep()
        finally:
            # Whatever keeps a journal from being shipped (a full Redis refuses to take
            # more), what is in the stream can be counted, and that makes room.
            tally = self.drain.run(seconds)
        return tally


_jobs: dict[str, SiteJob] = {}


def job_of(site: str) -> SiteJob:
    """The job of a site, the same one in every run."""
    if site not in _jobs:
        _jobs[site] = SiteJob(site)
    return _jobs[site]


def drain_once() -> str:
    """Adopt, ship and count what is there now; in words, empty if there was nothing.

    Raises StreamError or a database error, of the first site that had one, when all
    others had their turn; what was committed stays counted.
    """
    names = to_drain()
    # All of a run, if there is but one; else all sites come to their turn in it.
    turn = min(TURN_SECONDS, RUN_SECONDS / len(names)) if names[1:] else RUN_SECONDS
    deadline = time.monotonic() + RUN_SECONDS
    tallies = {name: Tally() for name in names}
    failures: dict[str, Exception] = {}
    fresh, busy = set(names), deque(names)
    while busy:
        name = busy.popleft()
        job = job_of(name)
        try:
            run = job.first_turn if name in fresh else job.drain.run
            fresh.discard(name)
            tallies[name].add(run(turn))
        except Exception as error:
            failures[name] = error
            continue
        if job.drain.more and time.monotonic() < deadline:
            busy.append(name)
    _raise_first(failures)
    return _words(tallies)


def _raise_first(failures: dict[str, Exception]) -> None:
    for name, error in list(failures.items())[1:]:
        logger.error("The site %s could not be drained: %s", name, error)
    for name, error in failures.items():
        if name != get_config().site:
            error.add_note(f"Of the site {name}.")
        raise error


def _words(tallies: dict[str, Tally]) -> str:
    """What the own site had, and what each other one had under its name."""
    said = {name: str(tally) for name, tally in tallies.items()}
    own = get_config().site
    return "; ".join(
        text if name == own else f"{name}: {text}"
        for name, text in said.items()
        if text
    )
