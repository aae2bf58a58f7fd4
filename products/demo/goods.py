"""The products as demo visitors see them: which are liked how much, and when.

Reads the catalogue; writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from products.models import Product

from .catalogue import HITS, LAUNCHES, SELLS_OUT, SOLD_OUT, WITHDRAWN, items
from .plan import SOLD_OUT as SOLD_OUT_AT
from .plan import WITHDRAWAL, Plan

FLATNESS = 2
STEEPNESS = 0.85
"""Of Zipf's law: a product's weight is 1 / (rank + FLATNESS) ** STEEPNESS."""
NEWS_DAYS, NEWS = 7, 3.0
"""How long, and how much more, people look at what is new."""
GONE, ALWAYS_GONE, OLD_LINKS = 0.12, 0.3, 0.1
"""What is left of the interest in what is sold out, always was, or was withdrawn."""


@dataclass(frozen=True, slots=True)
class Goods:
    """Products by place; those of the demo, and the shop's own."""

    names: tuple[str, ...]
    slugs: tuple[str, ...]
    liked: np.ndarray
    """Weights, whatever the day."""

    def places(self, names: frozenset[str] | tuple[str, ...]) -> np.ndarray:
        return np.array([i for i, name in enumerate(self.names) if name in names], int)

    def withdrawn(self, plan: Plan, number: int) -> np.ndarray:
        """Places of those whose pages are gone on a day."""
        gone = WITHDRAWN if number >= plan.at(WITHDRAWAL) else frozenset()
        return self.places(gone)

    def weights(self, plan: Plan, number: int) -> np.ndarray:
        """How often each is looked at on a day."""
        weights = self.liked.copy()
        weights[self.places(SOLD_OUT - {SELLS_OUT})] *= ALWAYS_GONE
        if number >= plan.at(SOLD_OUT_AT):
            weights[self.places((SELLS_OUT,))] *= GONE
        weights[self.withdrawn(plan, number)] *= OLD_LINKS
        for name, part in LAUNCHES.items():
            weights[self.places((name,))] *= _news(number - plan.at(part))
        return weights


def _news(age: int) -> float:
    if age < 0:
        return 0
    return NEWS if age < NEWS_DAYS else 1


def goods(plan: Plan) -> Goods:
    """What is on the shelf now: active products, and what the demo withdrew."""
    withdrawn = [item.sku for item in items() if item.name in WITHDRAWN]
    rows = Product.objects.available() | Product.objects.filter(sku__in=withdrawn)
    found = rows.order_by("sku").values_list("name", "slug")
    names = tuple(name for name, _ in found)
    return Goods(names, tuple(slug for _, slug in found), _liked(plan, names))


def _liked(plan: Plan, names: tuple[str, ...]) -> np.ndarray:
    """Zipf's law: the hits first, then the others as the dice fall."""
    order = np.random.default_rng(plan.seed).permutation(len(names)).tolist()
    ranked = sorted(order, key=lambda i: (HITS + names[i : i + 1]).index(names[i]))
    weights = np.empty(len(names))
    weights[ranked] = 1 / (np.arange(len(names)) + FLATNESS) ** STEEPNESS
    return weights
