"""Transactions that hold the lock shortly, made without the collector."""

import gc
from contextlib import suppress

import pytest

from analytics.rollup.pace import Pace, collect_by_hand


def test_transactions_become_smaller_when_they_hold_the_lock_long():
    pace = Pace(1_000, 50_000, 0.2)
    assert pace.limit == 50_000
    pace.adapt(0.3)
    assert pace.limit == 25_000
    pace.adapt(0.15)
    assert pace.limit == 25_000
    for _ in range(10):
        pace.adapt(0.3)
    assert pace.limit == 1_000
    for _ in range(10):
        pace.adapt(0.0)
    assert pace.limit == 50_000


@pytest.fixture
def collector():
    """As it was before, at the end."""
    enabled = gc.isenabled()
    yield gc
    (gc.enable if enabled else gc.disable)()


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_and_is_then_as_before(collector, enabled):
    (collector.enable if enabled else collector.disable)()
    with suppress(KeyError), collect_by_hand():
        assert not collector.isenabled()
        raise KeyError
    assert collector.isenabled() == enabled
