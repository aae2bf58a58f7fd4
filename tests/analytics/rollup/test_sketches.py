"""Histograms and visitor sketches: the algebra, the errors, the bytes."""

import copy
import json
import math
import random
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.rollup.sketches import BOUNDS, DAY_US, Histogram, Visitors, duration

durations = st.one_of(
    st.integers(0, 100), st.integers(0, DAY_US), st.sampled_from(BOUNDS)
)
samples = st.lists(durations, max_size=80)
numbers = st.integers(0, 2**53 - 1)
crowds = st.one_of(
    st.lists(numbers, max_size=40),
    st.builds(
        lambda start, size: range(start, start + size),
        st.integers(0, 5000),
        st.integers(700, 1500),
    ),
)


def visitors_of(items) -> Visitors:
    visitors = Visitors()
    visitors.add_many(items)
    return visitors


def merged(*values):
    total = type(values[0])()
    for value in values:
        total.merge(value)
    return total


def true_percentile(values: list[int], q: int) -> int:
    return sorted(values)[max(1, math.ceil(q * len(values) / 100)) - 1]


def corrupted(data: bytes, rng: random.Random) -> bytes:
    """`data` cut, prolonged or with some of its bits flipped."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    cut = rng.choice([len(changed), len(changed), rng.randrange(len(changed))])
    return bytes(changed[:cut]) + rng.choice([b"", b"", rng.randbytes(5)])


# Histogram


def test_buckets_cover_a_day_within_two_percent():
    assert (BOUNDS[0], BOUNDS[-1]) == (0, DAY_US)
    assert len(BOUNDS) < 600
    for index in range(1, len(BOUNDS)):
        low, high = Histogram.bounds(index)
        assert low == BOUNDS[index - 1] + 1
        assert 49 * high <= 51 * low


@given(st.lists(st.integers(0, 2 * DAY_US), max_size=50))
def test_arrays_and_single_values_have_the_same_buckets(values):
    array = np.array([*values, *BOUNDS], dtype=np.int64)
    assert Histogram.indices(array).tolist() == [
        Histogram.index(value) for value in array.tolist()
    ]


@given(durations)
def test_a_value_lies_in_its_bucket(value):
    low, high = Histogram.bounds(Histogram.index(value))
    assert low <= value <= high


def test_more_than_a_day_counts_as_a_day():
    assert Histogram.of([10**18]) == Histogram.of([DAY_US])


def test_negative_durations_are_refused():
    with pytest.raises(ValueError, match="negative"):
        Histogram.index(-1)
    with pytest.raises(ValueError, match="negative"):
        Histogram.indices(np.array([5, -1]))


@given(st.lists(durations, min_size=1, max_size=80), st.integers(0, 100))
def test_percentiles_are_within_two_percent(values, q):
    true = true_percentile(values, q)
    assert Histogram.of(values).percentile(q) == pytest.approx(true, rel=0.0200001)


def test_an_empty_histogram_has_no_percentiles():
    assert Histogram().percentile(50) is None
    assert Histogram().count == 0


@pytest.mark.parametrize("q", [-1, 101, float("nan")])
def test_percentiles_outside_of_0_to_100_are_refused(q):
    with pytest.raises(ValueError, match="0 to 100"):
        Histogram.of([1]).percentile(q)


@given(samples, samples, samples)
def test_merging_histograms_is_addition(a, b, c):
    x, y, z = map(Histogram.of, (a, b, c))
    assert (x + y) + z == x + (y + z) == merged(z, y, x) == Histogram.of(a + b + c)
    assert (x + y).to_bytes() == (y + x).to_bytes()
    assert x == Histogram.of(a)


def test_counts_are_added_from_arrays_and_lists():
    values = np.array([5, 5, 12_000, 0])
    indices, counts = np.unique(Histogram.indices(values), return_counts=True)
    histogram = Histogram()
    histogram.add_counts(indices, counts)
    histogram.add_counts([0, 3], [1, 0])
    assert histogram == Histogram.of([0, 0, 5, 5, 12_000])
    assert all(type(index) is int for index in histogram.counts)


@pytest.mark.parametrize("pair", [(-1, 1), (len(BOUNDS), 1), (3, -1), (3, 2**53)])
def test_impossible_counts_are_refused(pair):
    with pytest.raises(ValueError, match="No histogram"):
        Histogram().add_counts([pair[0]], [pair[1]])


@given(
    st.dictionaries(
        st.integers(0, len(BOUNDS) - 1), st.integers(1, 2**53 - 1), max_size=60
    )
)
def test_histograms_survive_bytes_and_json(counts):
    histogram = Histogram()
    histogram.add_counts(list(counts), counts.values())
    assert Histogram.from_bytes(histogram.to_bytes()) == histogram
    as_json = json.loads(json.dumps(histogram.as_dict()))
    assert Histogram.from_dict(as_json) == histogram


def test_histograms_are_small():
    assert Histogram().to_bytes() == b""
    assert len(Histogram.of([800]).to_bytes()) == 3
    assert len(Histogram.of(range(5_000, 50_000, 50)).to_bytes()) < 130


@given(st.binary(max_size=60))
def test_any_bytes_are_a_histogram_or_refused(data):
    for candidate in (data, bytes([0x10 | len(data) % 8]) + data):
        try:
            histogram = Histogram.from_bytes(candidate)
        except ValueError:
            continue
        assert Histogram.from_bytes(histogram.to_bytes()) == histogram
        assert all(0 <= index < len(BOUNDS) for index in histogram.counts)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x20\x01\x01", "begin with"),
        (b"\x18\x01\x01", "begin with"),
        (b"\x10", "1 bytes"),
        (b"\x10\x01\x01\x01", "4 bytes"),
        (b"\x10" + bytes([1]) * 2_000, "2001 bytes"),
        (b"\x10\x00\x01", "from 1"),
        (b"\x10\x01\x00", "from 1"),
        (b"\x13\x01" + bytes([255]) * 8, "from 1"),
        (b"\x14\xff\xff\x01", "no bucket 65534"),
    ],
)
def test_corrupt_histograms_are_refused_with_a_reason(data, reason):
    with pytest.raises(ValueError, match=reason):
        Histogram.from_bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "dict of version 1"),
        ([], "dict of version 1"),
        ({}, "dict of version 1"),
        ({"version": 2, "buckets": []}, "dict of version 1"),
        ({"version": 1}, "pairs of integers"),
        ({"version": 1, "buckets": 5}, "pairs of integers"),
        ({"version": 1, "buckets": [[1]]}, "pairs of integers"),
        ({"version": 1, "buckets": [[1, 2, 3]]}, "pairs of integers"),
        ({"version": 1, "buckets": [[1.5, 2]]}, "pairs of integers"),
        ({"version": 1, "buckets": [["1", 2]]}, "pairs of integers"),
        ({"version": 1, "buckets": [[9_999, 2]]}, "2 in bucket 9999"),
    ],
)
def test_corrupt_dicts_are_refused(data, reason):
    with pytest.raises(ValueError, match=reason):
        Histogram.from_dict(data)


def test_histograms_tell_what_they_hold():
    histogram = Histogram.of([12_000] * 18 + [80_000] * 2)
    assert str(histogram) == "p50 12 ms · p95 81 ms"
    assert repr(histogram) == ("<Histogram of 20 in 2 buckets: p50 12 ms · p95 81 ms>")
    assert str(Histogram()) == "–"
    assert histogram != "p50"


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "0 µs"),
        (999, "999 µs"),
        (999.6, "1 ms"),
        (999_400, "999 ms"),
        (999_600, "1.0 s"),
        (99_940_000, "99.9 s"),
        (120_000_000, "2 min"),
        (DAY_US, "1440 min"),
    ],
)
def test_durations_have_a_fitting_unit(microseconds, text):
    assert duration(microseconds) == text


# Visitors


def test_few_visitors_are_counted_exactly():
    rng = random.Random(1)
    for size in (0, 1, 2, 7, 8, 9, 100, 500, 768):
        assert visitors_of(rng.randrange(2**53) for _ in range(size)).estimate() == size


@pytest.mark.parametrize("size", [769, 2_000, 8_192, 40_000, 200_000])
def test_many_visitors_are_counted_within_five_percent(size):
    items = random.Random(size).sample(range(2**53), size)
    parts = [visitors_of(items[start::7]) for start in range(7)]
    assert merged(*parts).estimate() == pytest.approx(size, rel=0.05)


def test_repeated_visitors_count_once():
    visitors = visitors_of([3, 4, 3])
    visitors.add(4)
    assert visitors.estimate() == 2


@given(crowds, crowds, crowds)
def test_merging_visitors_is_a_union(a, b, c):
    x, y, z = map(visitors_of, (a, b, c))
    both = visitors_of([*a, *b, *c])
    assert merged(x, y, z) == merged(z, merged(y, x)) == (x + y) + z == both
    assert merged(x, x) == x == visitors_of(a)
    assert merged(x, y, z).estimate() == both.estimate()


@given(crowds)
def test_visitors_survive_bytes(items):
    visitors = visitors_of(items)
    again = Visitors.from_bytes(visitors.to_bytes())
    assert again == visitors
    assert again.estimate() == visitors.estimate()
    again.add_many([1, 2, 3])
    visitors.add_many([1, 2, 3])
    assert again.to_bytes() == visitors.to_bytes()


def test_visitor_sketches_are_small():
    assert Visitors().to_bytes() == b""
    assert len(visitors_of([1]).to_bytes()) == 5
    assert len(visitors_of(range(768)).to_bytes()) == 1 + 4 * 768
    assert len(visitors_of(range(200_000)).to_bytes()) < 3_300


def test_numpy_numbers_are_the_same_visitors():
    plain = visitors_of([5, 77, 2**53 - 1])
    assert visitors_of(np.array([5, 77, 2**53 - 1])) == plain
    assert visitors_of([np.int64(5), np.uint64(77), np.int64(2**53 - 1)]) == plain


@pytest.mark.parametrize("item", [-1, 2**53, 2**70])
def test_numbers_out_of_range_are_refused(item):
    with pytest.raises(ValueError, match="from 0 to"):
        Visitors().add_many([1, item])


@pytest.mark.parametrize("item", [5.0, "5", None])
def test_other_things_than_integers_are_refused(item):
    with pytest.raises(TypeError):
        Visitors().add(item)


@pytest.mark.parametrize("size", [0, 3, 50, 2_000])
def test_copies_of_visitors_are_their_own(size):
    visitors = visitors_of(range(size))
    for again in (copy.copy(visitors), copy.deepcopy(visitors)):
        assert again == visitors
        again.add(10**9)
        assert again != visitors


COUPON = (5 << 26 | 77).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x00", "begin with"),
        (b"\x03" + COUPON, "begin with"),
        (b"\x01", "1 bytes"),
        (b"\x01" + COUPON + b"\x01", "6 bytes"),
        (b"\x01" + COUPON * 769, "3077 bytes"),
        (b"\x01" + COUPON * 2, "repeated"),
        (b"\x01\x4d\x00\x00\x00", "empty"),
        (b"\x02", "cut short"),
        (b"\x02rubbish", "damaged"),
        (b"\x02" + zlib.compress(bytes(8_191)), "cut short"),
        (b"\x02" + zlib.compress(bytes(100_000_000)), "too long"),
        (b"\x02" + zlib.compress(bytes(8_192)) + b"x", "too long"),
        (b"\x02" + zlib.compress(bytes([64]) * 8_192), "above 63"),
    ],
)
def test_corrupt_sketches_are_refused_with_a_reason(data, reason):
    with pytest.raises(ValueError, match=reason):
        Visitors.from_bytes(data)


def use_rubbish(seed: int, rounds: int) -> int:
    """Read corrupted sketches, use what is accepted, return how many were."""
    rng = random.Random(seed)
    good = [visitors_of(range(size)).to_bytes() for size in (1, 7, 8, 300, 768, 3_000)]
    registers = [bytes(rng.choices(range(64), k=8_192)) for _ in range(5)]
    accepted = 0
    for _ in range(rounds):
        data = rng.choice(
            [
                corrupted(rng.choice(good), rng),
                rng.choice(b"\x00\x01\x02\x03").to_bytes() + rng.randbytes(40),
                b"\x02" + zlib.compress(rng.choice(registers), 1),
            ]
        )
        try:
            visitors = Visitors.from_bytes(data)
        except ValueError:
            continue
        accepted += 1
        visitors.merge(Visitors.from_bytes(rng.choice(good)))
        visitors.add_many(range(10))
        assert visitors.estimate() >= 0
        assert Visitors.from_bytes(visitors.to_bytes()) == visitors
    return accepted


def test_rubbish_never_ends_the_interpreter():
    """In a process of its own, so that a crash there is a failure here."""
    code = f"from {__name__} import use_rubbish; print(use_rubbish(7, 3_000))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert 0 < int(done.stdout) < 3_000


def test_visitors_tell_how_many_they_are():
    assert str(visitors_of([9])) == "1 visitor"
    assert str(Visitors()) == "0 visitors"
    many = visitors_of(range(5_000))
    assert str(many).replace("\u00a0", "") == f"{many.estimate()} visitors"
    assert repr(visitors_of([1, 2])) == "<Visitors: 2>"
    assert many != "5000"


def test_only_like_is_added_to_like():
    with pytest.raises(TypeError):
        Histogram() + Visitors()
    with pytest.raises(TypeError):
        Visitors() + 1


@pytest.mark.parametrize("size", [0, 5, 500, 40_000])
def test_a_union_is_what_merging_one_by_one_gives(size):
    many = []
    for number in range(4):
        one = Visitors()
        one.add_many(range(number * size, 2 * number * size))
        many.append(one)
    merged = Visitors()
    for one in many:
        merged.merge(one)
    assert Visitors.union(many) == merged
    assert Visitors.union(many).estimate() == merged.estimate()
