"""What the address of a page asks for, and how an address asks.

Reads words and the declared dimensions; queries nothing but whether there is a site of
another name than the own one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import sites
from ..conf import get_config
from ..models import Audience
from ..recording.event import clean
from ..rollup.dimensions import KEY_LIMIT, Dimension
from . import periods, queries
from .periods import Period

AUDIENCES = {
    "people": ((Audience.PEOPLE,), gettext_lazy("People")),
    "bots": ((Audience.BOTS,), gettext_lazy("Bots")),
    "staff": ((Audience.STAFF,), gettext_lazy("Staff")),
    "all": (tuple(Audience), gettext_lazy("Everyone")),
}


class BadQuestion(ValueError):
    """Words that ask for nothing we have, and what would, in a sentence."""


@dataclass(frozen=True, slots=True)
class Question:
    """What an address asks for: a period, an audience, and the measure to draw."""

    period: Period
    audience: str = "people"
    measure: str = "views"
    compare: str = "before"
    dimension: str = "total"
    key: str = ""
    """Whose numbers these are; of ``total``, all."""
    words: tuple[tuple[str, str], ...] = ()
    """The period's words, as an address spells them."""
    site: str = ""
    """Whose numbers these are; empty for the own site."""

    @classmethod
    def parse(cls, words: Mapping[str, str]) -> Question:
        """Raises `BadQuestion`. Words that are none of ours are left alone."""
        audience = words.get("audience") or "people"
        if audience not in AUDIENCES:
            names = ", ".join(AUDIENCES)
            raise BadQuestion(_("An audience is one of %s.") % names)
        dimension = _dimension(words)
        measure = words.get("measure") or "views"
        offered = queries.measures_of(dimension)
        if measure not in offered:
            raise BadQuestion(_("A measure is one of %s.") % ", ".join(offered))
        compare = words.get("compare") or "before"
        if compare not in periods.COMPARISONS:
            names = ", ".join(periods.COMPARISONS)
            raise BadQuestion(_("A comparison is one of %s.") % names)
        try:
            period = periods.parse(words)
        except periods.BadPeriod as error:
            raise BadQuestion(str(error)) from error
        key = words.get("key", "") if dimension.name != "total" else ""
        return cls(
            period,
            audience,
            measure,
            compare,
            dimension.name,
            # As keys are cleaned; PostgreSQL takes no NUL.
            clean(key, KEY_LIMIT),
            _period_words(words),
            _site(words),
        )

    @property
    def before(self) -> Period:
        """What its period is compared with."""
        return self.period.previous(self.compare)

    @property
    def audiences(self) -> tuple[int, ...]:
        return AUDIENCES[self.audience][0]

    @property
    def range(self) -> str:
        """The name in ``periods.RANGES``, or ``custom``."""
        return dict(self.words).get("range", "custom")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The words of its address, for a form that adds its own."""
        return parse_qsl(self.query()[1:], keep_blank_values=True)

    def query(self, **changes: str) -> str:
        """The address's query with some words changed."""
        days = {"range": changes["range"]} if "range" in changes else dict(self.words)
        words = {"audience": self.audience, "measure": self.measure}
        if self.site:
            words["site"] = self.site
        if self.compare != "before":
            words["compare"] = self.compare
        if self.dimension != "total":
            words |= {"dimension": self.dimension}
            words |= {"key": self.key} if self.key else {}
        words |= changes
        if words.get("site") == get_config().site:
            del words["site"]
        for name in ("dimension", "key"):
            if not words.get(name, "-"):
                del words[name]
        return "?" + urlencode(days | words)


def whole_number(text: str, most: int) -> int | None:
    """A number from 1 to ``most``; None for all else that an address may say."""
    digits = text.lstrip("0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(most))):
        return None
    number = int(digits)
    return number if number <= most else None


def _site(words: Mapping[str, str]) -> str:
    try:
        found = sites.chosen(words.get("site") or "")
    except sites.SiteError as error:
        raise BadQuestion(str(error)) from error
    return "" if found == get_config().site else found


def _dimension(words: Mapping[str, str]) -> Dimension:
    try:
        return queries.dimension_of(words.get("dimension") or "total")
    except queries.UnknownName as error:
        raise BadQuestion(str(error)) from error


def _period_words(words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    names = ("from", "to") if words.get("from") or words.get("to") else ("range",)
    found = [(name, words[name]) for name in names if words.get(name)]
    return tuple(found or [("range", periods.DEFAULT)])
