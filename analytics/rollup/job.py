"""The drain as a job: what the Celery task and ``analytics_drain`` both do.

Ships what dead processes left on this machine, then drains. Needs no Celery.
"""

from __future__ import annotations

from functools import lru_cache

from ..conf import get_config, get_stream
from ..recording.shipper import Shipper
from .drain import Drain


@lru_cache(maxsize=1)
def _parts() -> tuple[Shipper, Drain]:
    """Kept between runs: connections, adopted journals, how much a commit bears."""
    config = get_config().recorder
    stream = get_stream()
    shipper = Shipper(
        stream,
        config.journal_dir,
        max_bytes=config.journal_max_bytes,
        max_batches=config.stream_max_batches,
    )
    return shipper, Drain(stream)


def drain_once() -> str:
    """Adopt, ship and count what is there now; in words, empty if there was nothing.

    Raises StreamError or a database error; what was committed stays counted.
    """
    shipper, drain = _parts()
    try:
        shipper.sweep()
    finally:
        # Whatever keeps a journal from being shipped (a full Redis refuses to take
        # more), what is in the stream can be counted, and that makes room.
        said = str(drain.run())
    return said
