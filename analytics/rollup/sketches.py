"""The mergeable values of a rollup: latency histograms and sketches of visitors.

Reads and writes bytes and JSON-friendly dicts. It never touches a database and knows
nothing of Django. Merging is commutative and associative to the byte, so rows may be
merged in any order; what comes from outside is checked before it is believed, and
`ValueError` says what is wrong with it.
"""

import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate
from operator import index as as_int
from operator import sub
from typing import Any, Self

import numpy as np
from datasketches import hll_sketch, hll_union, tgt_hll_type

DAY_US = 86_400_000_000


def _upper_bounds() -> list[int]:
    """The largest microsecond of each bucket, from 0 to one day.

    A bucket from `low` to `high` keeps `high / low <= 1.02 / 0.98`, so that the value
    `2 * low * high / (low + high)` is within 2 % of everything in it. Integers alone
    make the buckets the same on every machine; up to 24 µs each value has its own.
    """
    bounds = [0]
    while bounds[-1] < DAY_US:
        low = bounds[-1] + 1
        bounds.append(min(low * 51 // 49, DAY_US))
    return bounds


BOUNDS = _upper_bounds()
LAST = len(BOUNDS) - 1
_BOUNDS_ARRAY = np.array(BOUNDS, dtype=np.int64)

# A histogram's first byte is the version in the high four bits, then the width of the
# index steps (one bit) and of the counts (two bits), both as powers of two.
_VERSION = 1
_MOST = 1 << 53
_STEP_CODES = "BH"
_COUNT_CODES = "BHIQ"


@lru_cache(maxsize=512)
def _layout(size: int, widths: int) -> struct.Struct:
    steps, counts = _STEP_CODES[widths >> 2], _COUNT_CODES[widths & 3]
    return struct.Struct(f"<B{size}{steps}{size}{counts}")


def _width(largest: int) -> int:
    """The power of two of the bytes that `largest` needs: 0, 1, 2 or 3."""
    return ((largest.bit_length() + 7 >> 3) - 1).bit_length()


class Histogram:
    """How long requests took, in microseconds: a sparse {bucket index: count}.

    Those whose duration is not known are not in it. Percentiles are within 2 % of the
    true ones, durations above a day count as a day.
    """

    __slots__ = ("counts",)
    __hash__ = None

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}

    @classmethod
    def of(cls, values: Iterable[int]) -> Self:
        histogram = cls()
        counts = histogram.counts
        for value in values:
            index = cls.index(value)
            counts[index] = counts.get(index, 0) + 1
        return histogram

    @staticmethod
    def index(value: int) -> int:
        """The bucket of a duration; raises ValueError if it is negative."""
        if value < 0:
            raise ValueError(f"A duration cannot be negative: {value}.")
        return bisect_left(BOUNDS, value, hi=LAST)

    @staticmethod
    def indices(values: np.ndarray) -> np.ndarray:
        """`index` of a whole array of integers."""
        if values.size and values.min() < 0:
            raise ValueError(f"A duration cannot be negative: {values.min()}.")
        return np.searchsorted(_BOUNDS_ARRAY[:LAST], values)

    @staticmethod
    def bounds(index: int) -> tuple[int, int]:
        """The smallest and the largest duration of a bucket."""
        return (BOUNDS[index - 1] + 1 if index else 0), BOUNDS[index]

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def add_counts(self, indices: Iterable[int], counts: Iterable[int]) -> None:
        """Add `counts` at `indices`: lists or arrays of equal length."""
        for index, count in zip(_ints(indices), _ints(counts), strict=True):
            if not 0 <= index <= LAST or not 0 <= count < _MOST:
                raise ValueError(f"No histogram has {count} in bucket {index}.")
            if count:
                self.counts[index] = self.counts.get(index, 0) + count

    def merge(self, other: Self) -> None:
        counts = self.counts
        get = counts.get
        for index, count in other.counts.items():
            counts[index] = get(index, 0) + count

    def __add__(self, other: Self) -> Self:
        if not isinstance(other, Histogram):
            return NotImplemented
        total = type(self)()
        total.counts = self.counts.copy()
        total.merge(other)
        return total

    def percentile(self, q: float) -> float | None:
        """The duration that `q` percent (0 to 100) stay within, by nearest rank."""
        if not 0 <= q <= 100:
            raise ValueError(f"A percentile is a number from 0 to 100, not {q}.")
        wanted = max(1, -(-q * self.count // 100))
        reached = 0
        for index, count in self._pairs():
            reached += count
            if reached >= wanted:
                low, high = self.bounds(index)
                return 2 * low * high / (low + high) if high else 0.0
        return None

    def to_bytes(self) -> bytes:
        """Version and widths, the steps between the indices, the counts."""
        if not self.counts:
            return b""
        indices = sorted(self.counts)
        steps = [indices[0] + 1, *map(sub, indices[1:], indices)]
        counts = [self.counts[index] for index in indices]
        widths = _width(max(steps)) << 2 | _width(max(counts))
        head = _VERSION << 4 | widths
        return _layout(len(steps), widths).pack(head, *steps, *counts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The histogram of `to_bytes`; raises ValueError for anything else."""
        histogram = cls()
        if not data:
            return histogram
        widths = data[0] & 15
        if data[0] >> 4 != _VERSION or widths > 7:
            raise ValueError(f"A histogram cannot begin with the byte {data[0]}.")
        size, rest = divmod(len(data) - 1, (1 << (widths >> 2)) + (1 << (widths & 3)))
        if rest or not 0 < size <= LAST + 1:
            raise ValueError(f"A histogram cannot have {len(data)} bytes.")
        numbers = _layout(size, widths).unpack(data)
        if 0 in numbers or max(numbers) >= _MOST:
            raise ValueError("A histogram's counts and steps are from 1 to 2**53 - 1.")
        indices = accumulate(numbers[1 : size + 1], initial=-1)
        next(indices)
        histogram.counts = dict(zip(indices, numbers[size + 1 :], strict=True))
        if (last := next(reversed(histogram.counts))) > LAST:
            raise ValueError(f"A histogram has no bucket {last}.")
        return histogram

    def as_dict(self) -> dict[str, Any]:
        """The version and the [index, count] pairs, for JSON."""
        return {"version": _VERSION, "buckets": [list(p) for p in self._pairs()]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The histogram of `as_dict`; raises ValueError for anything else."""
        if not isinstance(data, dict) or data.get("version") != _VERSION:
            raise ValueError(f"A histogram is a dict of version {_VERSION}.")
        try:
            pairs = [(as_int(index), as_int(count)) for index, count in data["buckets"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("A histogram's buckets are pairs of integers.") from error
        histogram = cls()
        for index, count in pairs:
            histogram.add_counts((index,), (count,))
        return histogram

    def _pairs(self) -> list[tuple[int, int]]:
        return sorted(self.counts.items())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return self.counts == other.counts

    def __repr__(self) -> str:
        return f"<Histogram of {self.count} in {len(self.counts)} buckets: {self}>"

    def __str__(self) -> str:
        if not self.counts:
            return "–"
        p50, p95 = self.percentile(50), self.percentile(95)
        return f"p50 {duration(p50)} · p95 {duration(p95)}"


def duration(microseconds: float) -> str:
    """A duration for people, in the unit that leaves it one to three digits."""
    if microseconds < 999.5:
        return f"{microseconds:.0f} µs"
    if microseconds < 999_500:
        return f"{microseconds / 1_000:.0f} ms"
    if microseconds < 99_950_000:
        return f"{microseconds / 1_000_000:.1f} s"
    return f"{microseconds / 60_000_000:.0f} min"


def _ints(values: Iterable[int]) -> list[int]:
    """A list, of Python's integers where numpy's came, which would be slower."""
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


_LG_K = 13
_REGISTERS = 1 << _LG_K
_LIMIT = 1 << 53
_COUPONS, _DENSE = 1, 2
# The library's own preamble (list, set, registers) is never stored: it is made anew
# from checked values, because its reader trusts the counts and flags in it.
_LIST_SIZE, _SET_SIZE = 7, 768
_LIST_AT, _SET_AT, _REGISTERS_AT = 8, 12, 40
_TYPE = tgt_hll_type.HLL_8
_WEIGHTS = np.ldexp(1.0, -np.arange(64))


class Visitors:
    """How many different visitors there were: a HyperLogLog sketch of their numbers.

    Up to 768 visitors it is exact, but for one such sketch in a thousand that is one
    short; above that the standard error is about 1 %.
    """

    __slots__ = ("_sketch",)
    __hash__ = None

    def __init__(self) -> None:
        self._sketch = hll_sketch(_LG_K, _TYPE)

    def add(self, visitor: int) -> None:
        """Add one visitor, 0 <= visitor < 2**53."""
        self.add_many((visitor,))

    def add_many(self, visitors: Iterable[int]) -> None:
        numbers = list(map(as_int, _ints(visitors)))
        if numbers and not (min(numbers) >= 0 and max(numbers) < _LIMIT):
            raise ValueError("A visitor is a number from 0 to 2**53 - 1.")
        self.add_checked(numbers)

    def add_checked(self, visitors: list[int]) -> None:
        """``add_many`` for numbers that were checked, as those of events are."""
        update = self._sketch.update
        for number in visitors:
            update(number)

    def merge(self, other: Self) -> None:
        if other._sketch.is_empty():
            return
        union = hll_union(_LG_K)
        union.update(self._sketch)
        union.update(other._sketch)
        self._sketch = union.get_result(_TYPE)

    @classmethod
    def union(cls, many: Iterable[Self]) -> Self:
        """All of ``many`` merged: the same as one by one, in less time."""
        union = hll_union(_LG_K)
        for visitors in many:
            union.update(visitors._sketch)
        total = cls()
        if not union.is_empty():
            total._sketch = union.get_result(_TYPE)
        return total

    def __add__(self, other: Self) -> Self:
        if not isinstance(other, Visitors):
            return NotImplemented
        total = type(self)()
        total.merge(self)
        total.merge(other)
        return total

    def estimate(self) -> int:
        """The number of visitors; the same however the sketch came to be."""
        sketch = self._sketch
        image = sketch.serialize_compact()
        if _is_dense(image):
            sketch = _dense_sketch(image[_REGISTERS_AT:])
        return round(sketch.get_estimate())

    def to_bytes(self) -> bytes:
        """Sorted coupons while there are few visitors, else deflated registers."""
        if self._sketch.is_empty():
            return b""
        image = self._sketch.serialize_compact()
        if _is_dense(image):
            # Run lengths and Huffman codes alone: half the bytes of the library's
            # smallest form, and the check sum finds what storage has damaged.
            deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
            packed = deflate.compress(image[_REGISTERS_AT:]) + deflate.flush()
            return bytes((_DENSE,)) + packed
        start = _LIST_AT if image[0] == 2 else _SET_AT
        coupons = np.frombuffer(image, "<u4", offset=start)
        return bytes((_COUPONS,)) + np.sort(coupons).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The sketch of `to_bytes`; raises ValueError for anything else."""
        visitors = cls()
        if not data:
            return visitors
        if data[0] == _COUPONS:
            visitors._sketch = _sparse_sketch(bytes(data[1:]))
        elif data[0] == _DENSE:
            visitors._sketch = _dense_sketch(_inflate(bytes(data[1:])))
        else:
            raise ValueError(f"A visitor sketch cannot begin with the byte {data[0]}.")
        return visitors

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return type(self).from_bytes, (self.to_bytes(),)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Visitors):
            return NotImplemented
        return self.to_bytes() == other.to_bytes()

    def __repr__(self) -> str:
        return f"<Visitors: {self.estimate()}>"

    def __str__(self) -> str:
        number = f"{self.estimate():,}".replace(",", "\u00a0")
        return f"{number} visitor" if number == "1" else f"{number} visitors"


def _is_dense(image: bytes) -> bool:
    return image[7] & 3 == 2


def _sparse_sketch(packed: bytes) -> hll_sketch:
    """A sketch in the library's list or set form: a coupon is a value and a slot."""
    size, rest = divmod(len(packed), 4)
    if rest or not 0 < size <= _SET_SIZE:
        raise ValueError(f"A visitor sketch cannot have {len(packed) + 1} bytes.")
    coupons = struct.unpack(f"<{size}I", packed)
    if min(coupons) < 1 << 26 or len(set(coupons)) < size:
        raise ValueError("A visitor sketch has an empty or a repeated coupon.")
    if size <= _LIST_SIZE:
        head = bytes((2, 1, 7, _LG_K, 3, 8, size, 8))
    else:
        head = bytes((3, 1, 7, _LG_K, 0, 8, 0, 9)) + size.to_bytes(4, "little")
    return hll_sketch.deserialize(head + packed)


def _inflate(packed: bytes) -> bytes:
    inflate = zlib.decompressobj()
    try:
        registers = inflate.decompress(packed, _REGISTERS + 1)
    except zlib.error as error:
        raise ValueError(f"A visitor sketch is damaged: {error}.") from error
    if len(registers) != _REGISTERS or not inflate.eof or inflate.unused_data:
        raise ValueError("A visitor sketch is cut short or too long.")
    return registers


def _dense_sketch(registers: bytes) -> hll_sketch:
    """A sketch in the library's register form, marked as merged.

    What the library also keeps, the history of insertions, would make the estimate
    depend on the order of merging. So the sums it needs are taken from the registers.
    """
    counts = np.bincount(np.frombuffer(registers, np.uint8), minlength=64)
    if len(counts) > 64:
        raise ValueError("A visitor sketch has a register above 63.")
    sums = counts * _WEIGHTS
    head = bytes((10, 1, 7, _LG_K, 0, 24, 0, 10))
    numbers = (0.0, sums[:32].sum(), sums[32:].sum(), int(counts[0]), 0)
    return hll_sketch.deserialize(head + struct.pack("<dddII", *numbers) + registers)
