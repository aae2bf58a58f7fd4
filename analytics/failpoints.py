"""Fail-points: places where the tests kill a process, to see that nothing is lost.

Reads ``ANALYTICS_FAIL_POINT``, ``<name>:<file>``: the first process that reaches the
named place and can delete the file is killed with SIGKILL. Unset, it does nothing.
"""

from __future__ import annotations

import os
import signal


def fail_point(name: str) -> None:
    """Die here, if the tests ask for it."""
    wanted, _, file = os.environ.get("ANALYTICS_FAIL_POINT", "").partition(":")
    if wanted != name:
        return
    try:
        os.unlink(file)
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
