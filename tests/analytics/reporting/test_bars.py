"""The bars of a histogram, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.reporting.bars import FEWEST, MOST, Bars
from analytics.rollup.sketches import DAY_US, Histogram

durations = st.one_of(st.integers(0, 50), st.integers(0, 10**6), st.integers(0, DAY_US))


@given(st.lists(durations, min_size=1, max_size=60))
def test_each_request_is_in_the_bar_between_its_edges(values):
    bars = Bars.of(Histogram.of(values))
    assert list(bars.edges) == sorted(set(bars.edges))
    assert [
        sum(low <= value < high for value in values)
        for low, high in zip(bars.edges, bars.edges[1:], strict=False)
    ] == list(bars.counts)
    assert sum(bars.counts) == len(values)


@given(st.lists(durations, min_size=1, max_size=60))
def test_there_are_neither_too_many_nor_too_few(values):
    bars = Bars.of(Histogram.of(values))
    assert FEWEST <= len(bars.counts) <= MOST
    assert len(bars.edges) == len(bars.counts) + 1


@pytest.mark.parametrize("value", [0, 1, 1_500, DAY_US])
def test_of_one_value(value):
    bars = Bars.of(Histogram.of([value] * 3))
    assert [count for count in bars.counts if count] == [3]
    assert len(bars.counts) == FEWEST


def test_of_everything_from_nothing_to_a_day():
    bars = Bars.of(Histogram.of([0, DAY_US]))
    assert (bars.edges[0], bars.edges[-1]) == (0, DAY_US + 1)


def test_they_are_as_wide_as_each_other():
    """Where a microsecond is little; so their heights can be compared."""
    bars = Bars.of(Histogram.of([1_000, 50_000]))
    ratios = [b / a for a, b in zip(bars.edges, bars.edges[1:], strict=False)]
    assert max(ratios) / min(ratios) < 1.02


def test_of_nothing():
    assert Bars.of(Histogram()) == Bars((), ())
