"""The overview: its tiles, chart and cards, and the same as data for programs.

Reads the query module and the declared dimensions; knows neither requests nor
templates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from ..conf import get_config
from ..rollup.buckets import Grain
from ..rollup.dimensions import BUILT_IN, dimensions_of
from ..words import microseconds, number, percent, signed, trend
from . import queries, response_times
from .measures import MEASURES, Comparison, Top, User, visitors_label
from .periods import Period
from .queries import Series
from .question import Question
from .response_times import ResponseTimes

TOP_ROWS = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of the period, and how it changed."""

    name: str
    label: str | Promise
    text: str
    before: str
    change: str
    trend: str
    """``good``, ``bad`` or empty."""
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The numbers of one page."""

    question: Question
    before: Period
    tiles: tuple[Tile, ...]
    cards: tuple[Top, ...]
    compared: Comparison
    empty: bool
    """Whether nothing at all was counted, now or before."""

    @property
    def title(self) -> Promise:
        """Of the measure that is drawn."""
        return TITLES[self.question.measure]

    @property
    def response_times(self) -> ResponseTimes | None:
        """None where they are not kept."""
        latency = self.compared.now.latency
        return None if latency is None else response_times.response_times(latency)

    def for_user(self, user: User) -> Overview:
        """Without the links that lead where the user may not go."""
        cards = (
            replace(card, rows=tuple(row.for_user(user) for row in card.rows))
            for card in self.cards
        )
        return replace(self, cards=tuple(cards))


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one tile is made: of which measure, and which way is good."""

    name: str
    label: Promise
    text: Callable[[Any], str]
    good: int
    """1 if more is better, -1 if less is, 0 if that cannot be said."""


TILES = (
    _Kind("views", gettext_lazy("Views"), number, 1),
    _Kind("visitors", gettext_lazy("Visitors"), number, 1),
    _Kind("requests", gettext_lazy("Requests"), number, 0),
    _Kind("error_rate", gettext_lazy("Error rate"), percent, -1),
    _Kind("p95", gettext_lazy("Response time, p95"), microseconds, -1),
)
TITLES = {
    **{kind.name: kind.label for kind in TILES},
    "errors": gettext_lazy("Errors"),
}


def numbers(question: Question) -> Overview:
    """All numbers of the page. Two queries, and those of each dimension's card."""
    before = question.before
    found = queries.compare(
        period=question.period,
        before=before,
        audiences=question.audiences,
        dimension=question.dimension,
        key=question.key,
        site=question.site,
    )
    offered = queries.measures_of(queries.dimension_of(question.dimension))
    return Overview(
        question,
        before,
        tuple(_tile(kind, question, found) for kind in TILES if kind.name in offered),
        tuple(_cards(question)) if question.dimension == "total" else (),
        found,
        empty=not (found.now.requests or found.then.requests),
    )


def chart(question: Question) -> dict[str, Any]:
    """The series to draw, beside the one of the period before: two queries, and one for
    each of them in which something may be a gap."""
    period, before = question.period, question.before
    now, then = (
        queries.series(
            period=one,
            measure=question.measure,
            audiences=question.audiences,
            dimension=question.dimension,
            key=question.key,
            site=question.site,
        )
        for one in (period, before)
    )
    period = now.period
    return {
        "title": str(TITLES[question.measure]),
        "type": "line",
        "unit": MEASURES[question.measure].unit,
        "labels": _labels(now),
        "running": period.place() if period.running else None,
        "gap": gettext("not recorded"),
        "series": [
            {"name": str(period), "values": now.values, "gaps": now.gaps},
            {
                "name": str(before),
                "values": _fitted(then.values, len(now.values)),
                "gaps": [place for place in then.gaps if place < len(now.values)],
                "compare": True,
            },
        ],
    }


def _fitted(values: Sequence[float | None], length: int) -> list[float | None]:
    """Days beyond the period's own have nothing to stand beside."""
    return [*values[:length], *[None] * (length - len(values))]


def as_dict(found: Overview) -> dict[str, Any]:
    """The page's numbers for programs; the texts are those that people see."""
    period, latency = found.question.period, found.compared.now.latency
    return {
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "audience": found.question.audience,
        "site": found.question.site or get_config().site,
        "tiles": {
            tile.name: {
                "label": str(tile.label),
                "text": tile.text,
                "before": tile.before,
            }
            for tile in found.tiles
        },
        "response_times": (
            None if latency is None else response_times.as_dict(latency)
        ),
        "top": {
            card.dimension.name: {
                "measure": card.measure,
                "total": card.total,
                "rows": [
                    {
                        "key": row.key,
                        "label": row.label.text,
                        "value": row.value,
                        "requests": row.requests,
                        "errors": row.errors,
                    }
                    for row in card.rows
                ],
            }
            for card in found.cards
        },
    }


def _tile(kind: _Kind, question: Question, found: Comparison) -> Tile:
    growth = found.changes[kind.name]
    of_visitors = kind.name == "visitors"
    return Tile(
        name=kind.name,
        label=visitors_label(question.period) if of_visitors else kind.label,
        text=kind.text(getattr(found.now, kind.name)),
        before=kind.text(getattr(found.then, kind.name)),
        change="" if growth is None else signed(growth),
        trend=trend(growth, kind.good),
        url=question.query(measure=kind.name),
        current=kind.name == question.measure,
    )


def _cards(question: Question) -> list[Top]:
    """Those of the project's own objects first."""
    offered = dimensions_of(question.site)
    dimensions = sorted(offered, key=BUILT_IN.__contains__)
    return [
        queries.top(
            dimension=dimension.name,
            period=question.period,
            audiences=question.audiences,
            measure=dimension.card.measure,
            limit=TOP_ROWS,
            site=question.site,
        )
        for dimension in dimensions
        if dimension.card
    ]


def _labels(found: Series) -> list[str]:
    """The buckets' starts: '14:00' within a day, else '20 Nov', with the hour."""
    form = "j M"
    if found.period.grain == Grain.HOUR:
        form = "H:i" if found.period.days == 1 else "j M H:i"
    zone = found.period.zone
    starts = (timezone.localtime(start, zone) for start in found.buckets)
    return [date_format(start, form) for start in starts]
