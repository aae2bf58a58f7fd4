"""What is held about a visitor, where, and for how long: from what is in force now.

Reads the settings, the declarations of dimensions and how long rows are kept; writes
nothing. ``docs/privacy.md`` says the same for whoever has no installation to look at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ..conf import Config, get_config
from ..history.rejects import SUFFIX
from ..recording.journal import SEGMENT_BYTES
from ..recording.shipper import ROLL_SECONDS
from ..rollup.dimensions import declared_kwargs, get_dimensions
from ..rollup.plan import CONTENT_LIMIT
from ..rollup.retention import LETTERS_LIMIT, RECORDS_DAYS, DaysInForce
from ..words import number
from .retention import days_text


class Fact(NamedTuple):
    """Something that a request tells, and what becomes of it."""

    what: str
    kept: str
    """What is recorded of it."""
    recorded: bool = True


class Place(NamedTuple):
    """Where something is, and for how long."""

    where: str
    what: str
    how_long: str


class Kept(NamedTuple):
    """Dimensions whose rows are kept for the same times."""

    dimensions: str
    how_long: str


@dataclass(frozen=True, slots=True)
class Statement:
    """All that the page says."""

    facts: tuple[Fact, ...]
    places: tuple[Place, ...]
    rows: tuple[Kept, ...]
    never: tuple[str, ...]
    signals: str
    """What becomes of who asks not to be followed."""


def statement() -> Statement:
    """The state of things. One query."""
    config = get_config()
    return Statement(
        facts=(*_facts(config), *_optional_facts(config)),
        places=(*_places_of_events(config), *_tables(), *_places_of_imports()),
        rows=tuple(_rows(config)),
        never=tuple(_never()),
        signals=_signals(config),
    )


def _facts(config: Config) -> Iterator[Fact]:
    yield Fact(
        _("client address and user agent"),
        _(
            "One number, the visitor: a keyed hash of both, of an IPv6 address the "
            "first 64 bits. %(period)s It says who came again, not who it is."
        )
        % {"period": _period(config)},
    )
    yield Fact(
        _("user agent"),
        _(
            "The text until it is counted, then the names of device, browser, system "
            "or program."
        ),
    )
    yield Fact(
        _("what was asked for"),
        _(
            "Time, method, host, the pattern of the URL, status, duration, bytes, the "
            "class of an exception, whether it is a page."
        ),
    )
    yield Fact(_("Referer"), _("The host, if it is another one."))
    yield Fact(
        _("query string"),
        _("utm_source, utm_medium and utm_campaign; nothing else."),
    )
    yield Fact(_("Accept-Language"), _("The first language."))
    yield Fact(_("staff"), _("Yes or no, where the site has loaded the user."))
    if declared := declared_kwargs():
        views = (f"{', '.join(names)} ({view})" for view, names in declared.items())
        yield Fact(_("words of the URL"), "; ".join(views))


def _optional_facts(config: Config) -> Iterator[Fact]:
    country = config.country_header or config.country_database
    yield Fact(_("country"), _("Two letters.") if country else "", bool(country))
    yield Fact(
        _("signed-in user"),
        _("The id, where the site has loaded the user.") if config.record_users else "",
        config.record_users,
    )
    yield Fact(
        _("path"),
        _("As it was asked for; it may say who somebody is.")
        if config.record_paths
        else "",
        config.record_paths,
    )


def _period(config: Config) -> str:
    return {
        "stable": _("It stays the same as long as both and the key do."),
        "month": _("It is another one each month."),
        "day": _("It is another one each day."),
    }[config.visitor_period]


def _places_of_events(config: Config) -> Iterator[Place]:
    """On their way into the tables."""
    yield Place(
        _("memory of each web process"),
        _("The last some thousand addresses and user agents, to hash each once."),
        _("As long as the process."),
    )
    all_of_it = _("Everything that is recorded, a line for each request.")
    yield Place(
        _("journal of each web process, on its disk (%(folder)s)")
        % {"folder": config.recorder.journal_dir},
        all_of_it,
        _(
            "Until it is counted: seconds. Files go as a whole, with all their "
            "requests counted and %(bytes)s full or %(seconds)d s without a request. "
            "At most %(most)s in all."
        )
        % {
            "bytes": filesizeformat(SEGMENT_BYTES),
            "seconds": ROLL_SECONDS,
            "most": filesizeformat(config.recorder.journal_max_bytes),
        },
    )
    yield Place(
        _("Redis"),
        all_of_it,
        _(
            "Until it is counted: seconds. At most some %(batches)s batches of 1 000. "
            "Redis' own files may hold them until it rewrites these."
        )
        % {"batches": number(config.recorder.stream_max_batches)},
    )


def _tables() -> Iterator[Place]:
    yield Place(
        _("database: rollups"),
        _(
            "Sums by the minute, hour and day, and sketches of the visitors: numbers "
            "that tell how many there were, and not who. No address, no user agent."
        ),
        _("As the table below says."),
    )
    yield Place(
        _("database: dead letters"),
        _(
            "Of what came and could not be counted the first %(bytes)s bytes: visitor, "
            "user agent and user can be in it."
        )
        % {"bytes": number(CONTENT_LIMIT)},
        _("%(days)d days, at most %(most)s.")
        % {"days": RECORDS_DAYS, "most": number(LETTERS_LIMIT)},
    )
    yield Place(
        _("database: ledger and job runs"),
        _("Of processes and tasks; nothing about visitors."),
        _("%(days)d days; the sums of the ledger and the times of outages stay.")
        % {"days": RECORDS_DAYS},
    )


def _places_of_imports() -> Iterator[Place]:
    """What is there only where somebody has imported access logs."""
    yield Place(
        _("database: imported files"),
        _(
            "Of each access log that was imported its name, a hash of its beginning, "
            "and how many lines were read; nothing about visitors."
        ),
        _("They stay, so that no line is counted twice."),
    )
    yield Place(
        _("files beside imported logs (*%(suffix)s), or that of --rejects")
        % {"suffix": SUFFIX},
        _(
            "The lines that could not be read, as they are in the log: addresses can "
            "be in them. For the file’s owner alone."
        ),
        _("Until somebody deletes them."),
    )


def _rows(config: Config) -> Iterator[Kept]:
    in_force = DaysInForce()
    found: dict[str, list[str]] = defaultdict(list)
    for dimension in get_dimensions():
        if dimension.name == "user" and not config.record_users:
            continue
        days = in_force.of(dimension).items()
        text = ", ".join(f"{grain.label} {days_text(kept)}" for grain, kept in days)
        found[text].append(str(dimension.label))
    for how_long, labels in found.items():
        yield Kept(", ".join(labels), how_long)


def _never() -> Iterator[str]:
    yield _("the client's address, with or without its last part")
    yield _("cookies and sessions, Authorization, and every header not named above")
    yield _("bodies of requests and answers, forms and files")
    yield _("query strings, but for the three utm words")
    yield _("path and query of the Referer")
    yield _("words of the URL that no dimension has declared")
    yield _("names and e-mail addresses of users")


def _signals(config: Config) -> str:
    if config.honour_dnt:
        return _(
            "Of who sends DNT or Sec-GPC no visitor, user, referrer, campaign, "
            "language and country is recorded; the request is counted."
        )
    return _(
        "DNT and Sec-GPC are not looked at. ANALYTICS_HONOUR_DNT leaves visitor, user, "
        "referrer, campaign, language and country of who sends them out."
    )
