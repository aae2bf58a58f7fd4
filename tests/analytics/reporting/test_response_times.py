"""The card of response times, as it is drawn."""

import pytest

from analytics.reporting.response_times import HIGHEST, as_dict, response_times
from analytics.rollup.sketches import DAY_US, Histogram
from analytics.words import microseconds

MANY = Histogram.of([2_000] * 10 + [30_000] * 5 + [31_000_000])


def percent(text: str) -> float:
    assert text.endswith("%")
    return float(text[:-1])


def test_percentiles_in_words():
    assert response_times(MANY).percentiles == tuple(
        (f"p{rank}", microseconds(MANY.percentile(rank)))
        for rank in (50, 75, 90, 95, 99)
    )


def test_bars_are_as_high_as_their_counts():
    bars = response_times(MANY).bars
    heights = [percent(bar.height) for bar in bars if bar.height]
    assert heights[0] == HIGHEST
    assert heights[1] == HIGHEST / 2
    assert 0 < heights[2] < heights[1]
    assert [bar.requests for bar in bars if bar.height] == ["10", "5", "1"]
    for bar in bars:
        if bar.height:
            assert percent(bar.y) + percent(bar.height) == pytest.approx(100)
        assert 0 <= percent(bar.x) < percent(bar.x) + percent(bar.width) <= 100


def test_the_table_begins_and_ends_with_a_request():
    found = response_times(MANY)
    assert {found.rows[0].requests, found.rows[-1].requests} == {"10", "1"}
    assert sum(int(row.requests) for row in found.rows) == MANY.count


@pytest.mark.parametrize(
    "values", [[0], [25], [700], [1_000, 9_000], [3, 10**7], [0, DAY_US]]
)
def test_there_are_some_ticks_in_their_order(values):
    ticks = response_times(Histogram.of(values)).ticks
    places = [percent(tick.x) for tick in ticks]
    assert 1 <= len(ticks) <= 6
    assert places == sorted(places)
    assert 4 < places[0] <= places[-1] < 96


def test_marks_stand_where_the_percentiles_are():
    found = response_times(Histogram.of([2_000] * 100))
    (bar,) = (bar for bar in found.bars if bar.height)
    for mark in found.marks:
        place = percent(mark.x)
        assert percent(bar.x) <= place <= percent(bar.x) + percent(bar.width)


def test_a_sentence_says_what_is_drawn():
    assert response_times(MANY).sentence == (
        "Histogram of 16 requests: half took at most 2 ms, 95 of 100 at most 31.6 s. "
        "The table below has its numbers."
    )


def test_of_nothing():
    found = response_times(Histogram())
    assert (found.bars, found.rows, found.ticks, found.marks) == ((), (), (), ())
    assert found.sentence == ""


def test_programs_get_microseconds():
    found = as_dict(MANY)
    assert found["unit"] == "µs"
    assert found["percentiles"]["p95"] == MANY.percentile(95)
    assert sum(found["histogram"]["counts"]) == MANY.count
