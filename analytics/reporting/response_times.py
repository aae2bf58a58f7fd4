"""The card of response times: percentiles in words, and the bars as they are drawn.

Reads a histogram; knows neither requests nor templates. Places and sizes are percent
of the drawing, as text, so that the page needs neither a script nor an inline style.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from ..rollup.sketches import Histogram
from ..words import microseconds, number, percent, precise
from .bars import Bars
from .measures import percentiles_of

HIGHEST = 84
"""Percent of the drawing's height; above it stand the names of the marks."""
LOWEST = 0.8
"""So high is a bar that has but a few requests: they may be those to look for."""
GAP = 0.35
MOST_TICKS = 6
TICKS = ((1, (1, 2, 5)), (1, (1,)), (2, (1,)), (4, (1,)))
"""Steps in powers of ten, and what of each: the first that are few enough."""
MARGIN = 4
"""Percent at both ends where a tick's text would not fit."""
MARKED = (50, 95)


class Bar(NamedTuple):
    """One bar, as it is drawn and as a table has it."""

    range: str
    requests: str
    share: str
    x: str
    y: str
    width: str
    height: str
    """Empty if there is nothing to draw."""


class Mark(NamedTuple):
    """A text at a place of the axis."""

    text: str
    x: str


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """How long the requests of a period took, of which that is known."""

    percentiles: tuple[tuple[str, str], ...]
    """(p50, 12 ms) and so on."""
    bars: tuple[Bar, ...]
    ticks: tuple[Mark, ...]
    marks: tuple[Mark, ...]
    sentence: str
    """What the drawing shows, for whoever does not see it."""

    @property
    def rows(self) -> tuple[Bar, ...]:
        """Those of its table: from the first bar that has requests to the last one."""
        drawn = [place for place, bar in enumerate(self.bars) if bar.height]
        return self.bars[drawn[0] : drawn[-1] + 1] if drawn else ()


def response_times(latency: Histogram) -> ResponseTimes:
    """The card of a histogram; without bars if no duration is known."""
    bars, found = Bars.of(latency), percentiles_of(latency)
    return ResponseTimes(
        tuple((f"p{rank}", microseconds(value)) for rank, value in found.items()),
        tuple(_bars(bars)),
        tuple(_ticks(bars)),
        tuple(
            Mark(f"p{rank}", _text(_place(bars.edges, found[rank])))
            for rank in MARKED
            if bars.counts
        ),
        _sentence(latency) if bars.counts else "",
    )


def as_dict(latency: Histogram) -> dict[str, Any]:
    """The same for programs, in microseconds."""
    bars = Bars.of(latency)
    return {
        "unit": "µs",
        "percentiles": {f"p{r}": v for r, v in percentiles_of(latency).items()},
        "histogram": {"edges": bars.edges, "counts": bars.counts},
    }


def _bars(bars: Bars) -> Iterator[Bar]:
    width, total = 100 / max(1, len(bars.counts)), sum(bars.counts)
    for place, count in enumerate(bars.counts):
        low, high = bars.edges[place : place + 2]
        height = max(LOWEST, HIGHEST * count / max(bars.counts)) if count else 0
        yield Bar(
            f"{precise(low)} – {precise(high)}",
            number(count),
            percent(100 * count / total),
            _text(place * width + GAP / 2),
            _text(100 - height),
            _text(width - GAP),
            _text(height) if count else "",
        )


def _ticks(bars: Bars) -> Iterator[Mark]:
    if not bars.counts:
        return
    for step, factors in TICKS:
        values = [f * 10**n for n in range(0, 12, step) for f in factors]
        shown = [v for v in values if bars.edges[0] < v < bars.edges[-1]]
        if len(shown) <= MOST_TICKS:
            break
    for value in shown:
        place = _place(bars.edges, value)
        if MARGIN < place < 100 - MARGIN:
            yield Mark(precise(value), _text(place))


def _place(edges: Sequence[int], value: float) -> float:
    """Where on the axis a duration is, in percent."""
    bar = min(bisect_right(edges, value) - 1, len(edges) - 2)
    low, high = edges[bar : bar + 2]
    return 100 * (bar + (value - low) / (high - low)) / (len(edges) - 1)


def _sentence(latency: Histogram) -> str:
    half, most = (microseconds(latency.percentile(rank)) for rank in MARKED)
    return _(
        "Histogram of %(requests)s requests: half took at most %(half)s, 95 of 100 at "
        "most %(most)s. The table below has its numbers."
    ) % {"requests": number(latency.count), "half": half, "most": most}


def _text(value: float) -> str:
    return f"{value:.2f}%"
