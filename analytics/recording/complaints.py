"""What went wrong with recording, said in the log: the site itself must not notice.

Reads the recorder's counters, in the shipper's thread. Writes to the logger
``analytics``: each reason at once, and then at most once a minute. Never raises.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from contextlib import suppress

logger = logging.getLogger("analytics")
SILENT_SECONDS = 60.0


class Complaints:
    """Tells what has been counted since it told the last time."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._said: dict[str, tuple[int, float]] = {}

    def say(self) -> None:
        """Log what is new. A handler that somebody configured may fail."""
        with suppress(Exception):
            now = time.monotonic()
            for reason, count in list(self._counters.items()):
                said, again_at = self._said.get(reason, (0, now))
                if count > said and now >= again_at:
                    self._said[reason] = count, now + SILENT_SECONDS
                    logger.warning("%s (%d times)", reason, count - said)
