"""Numbers as people read them: in pages, tables and sentences alike."""

from __future__ import annotations

from .rollup.sketches import duration

NOTHING = "–"
SPACE = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def number(value: float) -> str:
    """12430 -> '12 430', with narrow no-break spaces between the thousands."""
    return f"{value:,}".replace(",", SPACE)


def percent(value: float | None) -> str:
    """0.4211 -> '0.42 %'."""
    return NOTHING if value is None else f"{value:.2f}{SPACE}%"


def microseconds(value: float | None) -> str:
    """85210 -> '85 ms'."""
    return NOTHING if value is None else duration(value)


def precise(value: float) -> str:
    """1250 -> '1.25 ms': microseconds in three digits, without zeros at their end."""
    if value < 999.5:
        return f"{value:.3g} µs"
    if value < 999_500:
        return f"{value / 1_000:.3g} ms"
    seconds = value / 1_000_000
    text = f"{seconds:.3g}" if seconds < 999.5 else number(round(seconds))
    return f"{text} s"


def change(now: float | None, before: float | None) -> float | None:
    """By how many percent it grew; None where that has no meaning."""
    if now is None or not before:
        return None
    return 100 * (now - before) / before


def signed(value: float) -> str:
    """12.34 -> '+12 %', -0.5 -> '−0.5 %': two digits, as far as they say anything.

    Only what is gone altogether is '−100 %'.
    """
    digits = 0 if abs(value) >= 9.95 else 1
    if -100 < value < -99:
        value, digits = max(value, -99.9), 1
    text = f"{abs(value):,.{digits}f}".replace(",", SPACE)
    sign = "" if float(f"{value:.{digits}f}") == 0 else "+" if value > 0 else MINUS
    return f"{sign}{text}{SPACE}%"


def trend(growth: float | None, good: int) -> str:
    """``good`` or ``bad``, if more is better (1) or worse (-1); empty where that cannot
    be said (0), and where nothing is shown to have changed."""
    if growth is None or not good or not round(growth, 1):
        return ""
    return "good" if growth * good > 0 else "bad"
