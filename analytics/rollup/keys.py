"""Which key of a dimension each event has.

Reads columns of events and one declaration, and asks the app that made it. An app's
mistake must not stop all counting: it is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from django.db import DatabaseError

from ..recording.event import RequestEvent
from .columns import Columns, counted, factorise
from .dimensions import KEY_LIMIT, Dimension, Key

logger = logging.getLogger("analytics")
KEY_TYPES = {str, tuple, type(None)}


def keys_of(
    columns: Columns, dimension: Dimension
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Which events the dimension counts, ascending, and the code of their key.

    Keys are made and resolved for distinct events, then spread over all.
    """
    events, own = columns.distinct(dimension.reads)
    # What is to be resolved is cut afterwards: half a key would be another one's.
    limit = None if dimension.resolve else KEY_LIMIT
    pairs = [
        (place, key)
        for place, found in enumerate(_found(events, dimension))
        if found is not None
        for key in _several(found, limit)
    ]
    places = np.array([place for place, _ in pairs], np.int64)
    keys, numbers = factorise([key for _, key in pairs])
    codes = np.array(numbers, np.int64)
    if dimension.resolve is not None and keys:
        places, codes, keys = _resolved(dimension, places, codes, keys)
    return *_spread(places, codes, own, len(events)), keys


def _resolved(
    dimension: Dimension, places: np.ndarray, codes: np.ndarray, keys: list[str]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The same with stored keys, without the events that have none: a None among the
    keys is nobody's."""
    answers = _answers(dimension, keys)
    # Two may be one when they are cut.
    stored, recoded = factorise([_cut(answers.get(key)) for key in keys])
    codes = np.array(recoded, np.int64)[codes]
    if None in stored:
        kept = codes != stored.index(None)
        places, codes = places[kept], codes[kept]
    # Several keys of an event may have become one.
    (pairs,) = counted(places * len(stored) + codes)
    places, codes = np.divmod(pairs, len(stored))
    return places, codes, stored


def _cut(key: object) -> str | None:
    return None if key is None else str(key)[:KEY_LIMIT]


def _spread(
    places: np.ndarray, codes: np.ndarray, own: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """From the keys of ``size`` distinct events, in their order, to those of all."""
    many = np.bincount(places, minlength=size)
    if many.max() <= 1:
        table = np.full(size, -1)
        table[places] = codes
        found = table[own]
        index = np.flatnonzero(found >= 0)
        return index, found[index]
    counts = many[own]
    index = np.repeat(np.arange(len(own)), counts)
    number = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = np.cumsum(many) - many
    return index, codes[starts[own[index]] + number]


def _answers(dimension: Dimension, keys: list[str]) -> Mapping[str, str]:
    """An app's mistake must not stop all counting; a database that is away must, or
    what it would have told is missing for ever."""
    try:
        return dimension.resolve(keys)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("Resolving keys of dimension %r failed.", dimension.name)
        return {}


def _found(events: Sequence[RequestEvent], dimension: Dimension) -> list[Key]:
    """The key of each event. An app's mistake must not stop all counting: an event
    whose key cannot be had is not counted by that dimension, and that is logged."""
    try:
        found = list(map(dimension.key, events))
        if set(map(type, found)) <= KEY_TYPES:
            return found
    except Exception:
        logger.exception("The key of dimension %r failed.", dimension.name)
    return [_key_or_none(event, dimension) for event in events]


def _key_or_none(event: RequestEvent, dimension: Dimension) -> Key:
    try:
        key = dimension.key(event)
    except Exception:
        return None
    if isinstance(key, str | tuple) or key is None:
        return key
    logger.error("The key of dimension %r is no text: %r.", dimension.name, key)
    return None


def _several(keys: str | tuple[str, ...], limit: int | None) -> Iterable[str]:
    """Two may be one when they are cut."""
    if isinstance(keys, str):
        return (keys[:limit],)
    return dict.fromkeys(str(key)[:limit] for key in keys)
