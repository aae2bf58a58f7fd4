"""The numbers of stored sketches are those that the sketches' own types give."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.reporting.stored import latencies, visitors
from analytics.rollup.sketches import DAY_US, Histogram, Visitors


def sketch_of(count):
    sketch = Visitors()
    sketch.add_many(random.Random(count).sample(range(1 << 53), count))
    return sketch


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 100, 500, 767, 768, 769, 900, 5_000])
def test_visitors(count):
    sketch = sketch_of(count)
    assert visitors(sketch.to_bytes()) == sketch.estimate()


def test_visitors_of_every_sparse_size():
    for count in range(1, 770):
        sketch = sketch_of(count)
        assert visitors(sketch.to_bytes()) == sketch.estimate(), count


@given(
    st.dictionaries(
        st.integers(0, DAY_US), st.integers(1, 1 << 40), min_size=1, max_size=60
    )
)
def test_latencies(durations):
    histogram = Histogram()
    for duration, count in durations.items():
        histogram.add_counts([Histogram.index(duration)], [count])
    expected = tuple(round(histogram.percentile(q), 1) for q in (50, 95))
    assert latencies(histogram.to_bytes()) == expected


def test_empty_ones_have_no_numbers():
    assert visitors(b"") is None
    assert latencies(b"") == (None, None)


@pytest.mark.parametrize("data", [b"\x01", b"\x01abc", b"\x07abcd", b"\x02abcd"])
def test_damaged_visitors(data):
    with pytest.raises(ValueError, match="visitor sketch"):
        visitors(data)


@pytest.mark.parametrize("data", [b"\x10", b"\xff12", b"\x10123", b"\x14" + b"1" * 40])
def test_damaged_latencies(data):
    with pytest.raises(ValueError, match="histogram"):
        latencies(data)
