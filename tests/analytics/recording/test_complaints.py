"""What went wrong is said once, and then from time to time."""

from collections import Counter

import pytest

from analytics.recording import complaints as complaints_module
from analytics.recording.complaints import Complaints, logger


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test turns."""
    now = [1_000.0]
    monkeypatch.setattr(complaints_module.time, "monotonic", lambda: now[0])
    return now


def test_a_reason_is_said_at_once_and_then_once_a_minute(clock, caplog):
    counters = Counter()
    complaints = Complaints(counters)
    for _ in range(3):
        counters["journal: full"] += 2
        complaints.say()
    assert caplog.messages == ["journal: full (2 times)"]
    counters["ship: ConnectionError"] += 1
    complaints.say()
    assert caplog.messages[1:] == ["ship: ConnectionError (1 times)"]
    clock[0] += complaints_module.SILENT_SECONDS
    complaints.say()
    complaints.say()
    assert caplog.messages[2:] == ["journal: full (4 times)"]


def test_a_broken_log_disturbs_nobody(monkeypatch):
    asked = []

    def fail(*args):
        asked.append(args)
        raise OSError("disk full")

    monkeypatch.setattr(logger, "warning", fail)
    Complaints(Counter(reason=1)).say()
    assert len(asked) == 1
