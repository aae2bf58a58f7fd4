"""The overview: what its address asks for, and the numbers that answer.

Reads the query module and nothing else; knows neither requests nor templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Audience
from ..rollup.buckets import Grain
from ..rollup.dimensions import BUILT_IN, get_dimensions
from ..words import change, microseconds, number, percent, signed
from . import periods, queries
from .periods import Period
from .queries import Series, Top, TopRow, Totals

AUDIENCES = {
    "people": ((Audience.PEOPLE,), gettext_lazy("People")),
    "bots": ((Audience.BOTS,), gettext_lazy("Bots")),
    "staff": ((Audience.STAFF,), gettext_lazy("Staff")),
    "all": (tuple(Audience), gettext_lazy("Everyone")),
}
TOP_ROWS = 8
User = AbstractUser | AnonymousUser


class BadQuestion(ValueError):
    """Words that ask for nothing we have, and what would, in a sentence."""


@dataclass(frozen=True, slots=True)
class Question:
    """What an address asks for: a period, an audience, and the measure to draw."""

    period: Period
    audience: str = "people"
    measure: str = "views"
    words: tuple[tuple[str, str], ...] = ()
    """The period's words, as an address spells them."""

    @classmethod
    def parse(cls, words: Mapping[str, str]) -> Question:
        """Raises `BadQuestion`. Words that are none of ours are left alone."""
        audience = words.get("audience") or "people"
        if audience not in AUDIENCES:
            names = ", ".join(AUDIENCES)
            raise BadQuestion(_("An audience is one of %s.") % names)
        measure = words.get("measure") or "views"
        if measure not in queries.MEASURES:
            names = ", ".join(queries.MEASURES)
            raise BadQuestion(_("A measure is one of %s.") % names)
        try:
            period = periods.parse(words)
        except periods.BadPeriod as error:
            raise BadQuestion(str(error)) from error
        return cls(period, audience, measure, _period_words(words))

    @property
    def audiences(self) -> tuple[int, ...]:
        return AUDIENCES[self.audience][0]

    @property
    def range(self) -> str:
        """The name in ``periods.RANGES``, or ``custom``."""
        return dict(self.words).get("range", "custom")

    def query(self, **changes: str) -> str:
        """The address's query with some words changed."""
        days = {"range": changes["range"]} if "range" in changes else dict(self.words)
        words = {"audience": self.audience, "measure": self.measure} | changes
        return "?" + urlencode(days | words)


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
    empty: bool
    """Whether nothing at all was counted, now or before."""

    def for_user(self, user: User) -> Overview:
        """Without the links that lead where the user may not go."""
        return replace(self, cards=tuple(_for_user(card, user) for card in self.cards))


def _for_user(card: Top, user: User) -> Top:
    def seen(row: TopRow) -> TopRow:
        label = row.label
        if not label.permission or user.has_perm(label.permission):
            return row
        return replace(row, label=label._replace(url=""))

    return replace(card, rows=tuple(map(seen, card.rows)))


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
    before = question.period.previous()
    now = queries.totals(period=question.period, audiences=question.audiences)
    then = queries.totals(period=before, audiences=question.audiences)
    return Overview(
        question,
        before,
        tuple(_tile(kind, question, now, then) for kind in TILES),
        tuple(_cards(question)),
        empty=not (now.requests or then.requests),
    )


def chart(question: Question) -> dict[str, Any]:
    """The series to draw, beside the one of the period before. Two queries."""
    period, before = question.period, question.period.previous()
    now, then = (
        queries.series(
            period=one, measure=question.measure, audiences=question.audiences
        )
        for one in (period, before)
    )
    return {
        "title": str(TITLES[question.measure]),
        "type": "line",
        "unit": queries.MEASURES[question.measure].unit,
        "labels": _labels(now),
        "running": period.place() if period.running else None,
        "series": [
            {"name": str(period), "values": now.values},
            {
                "name": str(before),
                "values": then.values,
                "compare": True,
            },
        ],
    }


def as_dict(found: Overview) -> dict[str, Any]:
    """The page's numbers for programs; the texts are those that people see."""
    period = found.question.period
    return {
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "audience": found.question.audience,
        "tiles": {
            tile.name: {"text": tile.text, "before": tile.before}
            for tile in found.tiles
        },
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


def _period_words(words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    names = ("from", "to") if words.get("from") or words.get("to") else ("range",)
    found = [(name, words[name]) for name in names if words.get(name)]
    return tuple(found or [("range", periods.DEFAULT)])


def _tile(kind: _Kind, question: Question, now: Totals, then: Totals) -> Tile:
    value, before = getattr(now, kind.name), getattr(then, kind.name)
    growth = change(value, before)
    return Tile(
        name=kind.name,
        label=kind.label,
        text=kind.text(value),
        before=kind.text(before),
        change="" if growth is None else signed(growth),
        trend=_trend(growth, kind.good),
        url=question.query(measure=kind.name),
        current=kind.name == question.measure,
    )


def _trend(growth: float | None, good: int) -> str:
    """What is shown as no change is none."""
    if growth is None or not good or not round(growth, 1):
        return ""
    return "good" if growth * good > 0 else "bad"


def _cards(question: Question) -> list[Top]:
    """Those of the project's own objects first."""
    dimensions = sorted(get_dimensions(), key=BUILT_IN.__contains__)
    return [
        queries.top(
            dimension=dimension.name,
            period=question.period,
            audiences=question.audiences,
            measure=dimension.card.measure,
            limit=TOP_ROWS,
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
