"""The event: what one finished request leaves behind.

Read: text from the request, cut and cleaned here. Written: one line of JSON for the
journal. Never: a client's address, a cookie, or of a query string more than the three
utm_* words; those stay in the process.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, json

TEXT_LIMIT = 200
AGENT_LIMIT = 300
KWARG_LIMIT = 200
KWARGS_LIMIT = 8
EARLIEST = 946_684_800
"""The year 2000, in seconds: an earlier time is of a clock that was never set."""
AMOUNT_MOST = 2**40
"""Of bytes, and of microseconds, in one request: more would spoil every sum."""
VISITOR_BITS = 53
NOBODY = 0
"""The visitor of a request whose visitor is not to be counted."""
METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)
BODILESS = frozenset((204, 304))
"""Statuses of answers without a body, whatever their Content-Length says."""

# An event is checked by the drain with these bounds: what arrives by Redis may be
# anything. 2**53 is the largest integer that every JSON reader keeps exact.
Natural = Annotated[int, Meta(ge=0, lt=2**53)]
Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MOST)]
Time = Annotated[int, Meta(ge=EARLIEST * 1000, le=2**53)]
Text = Annotated[str, Meta(max_length=TEXT_LIMIT)]


class RequestEvent(Struct, frozen=True, array_like=True, gc=False):
    """One request that was answered, raised, or was given up by its client.

    A new field comes last and has a default: journals outlive a deployment.
    """

    time: Time
    """Arrival, in milliseconds since 1970-01-01 UTC."""
    method: Annotated[str, Meta(max_length=20)]
    route: Text
    """The URL pattern with a leading slash; empty when no view was found."""
    view: Text
    """The name of the view, ``namespace:name`` or the dotted path of a function."""
    status: Annotated[int, Meta(ge=100, le=599)]
    """The status answered; 499 when the client left before there was one."""
    duration: Amount
    """Microseconds until the response was made, for a stream until it was closed; 0
    where that is not known, as of a log without durations."""
    bytes: Amount
    """Length of the body as it left the outermost middleware."""
    exception: Text
    """Dotted class of the exception that nobody handled, else empty."""
    user: Annotated[str, Meta(max_length=64)]
    """Primary key of the signed-in user, when recorded and already loaded."""
    staff: bool
    visitor: Natural
    """Keyed hash of client address, user agent and period, 53 bits; or `NOBODY`."""
    referrer: Text
    """Host of the referring site; empty for the own one."""
    language: Annotated[str, Meta(max_length=20)]
    """First language of Accept-Language."""
    agent: Annotated[str, Meta(max_length=AGENT_LIMIT)]
    """The user agent, classified by the drain and then forgotten."""
    page: bool
    """Whether a person would call it a page: see ``maker.is_page``."""
    kwargs: Annotated[
        dict[Text, Annotated[str, Meta(max_length=KWARG_LIMIT)]],
        Meta(max_length=KWARGS_LIMIT),
    ]
    """The URL's keyword arguments that a dimension declared for this view."""
    host: Text = ""
    """The host that was asked, without its port; empty where none was accepted."""
    campaign: Text = ""
    """``source / medium / campaign`` of the utm_* words; see ``headers.campaign``."""
    country: Annotated[str, Meta(max_length=2)] = ""
    """ISO 3166 code, where a trusted header or a local database tells."""
    path: Text = ""
    """The path as it was asked for, if paths are recorded."""


encode = json.Encoder().encode
decode = json.Decoder(RequestEvent).decode
decode_many = json.Decoder(list[RequestEvent]).decode


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    """Cut ``text`` to ``limit`` and drop what does not print.

    Control characters, bidirectional marks and lone surrogates all count as not
    printable, so what remains is safe in a log, a terminal and UTF-8.
    """
    if len(text) > limit:
        text = text[:limit]
    if text.isprintable():
        return text
    return "".join(filter(str.isprintable, text))


def class_name(error: BaseException) -> str:
    """The dotted name of an exception's class, as an event keeps it."""
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return clean(module + kind.__qualname__)
