"""Waiting for a condition: what the tests do instead of sleeping."""

import time
from collections.abc import Callable

INTERVAL = 0.05


class TimedOut(AssertionError):
    """What was waited for did not come; says what that was."""


def wait_until(
    condition: Callable[[], object],
    what: str,
    timeout: float = 30,
    state: Callable[[], object] = lambda: "",
) -> None:
    """Return when ``condition`` holds. ``state`` tells a failure how things stand."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimedOut(f"Not within {timeout:g} s: {what}. {state()}")
        time.sleep(INTERVAL)
