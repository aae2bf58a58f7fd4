"""The recorder of any ASGI site: Starlette, FastAPI, Quart, or a bare coroutine.

Wrap the outermost application: ``app = AsgiRecorder(app, Options.from_environ())``, or
``app.add_middleware(AsgiRecorder, options=...)``. Reads the scope when the answer has
ended; by then ``scope["route"].path`` or ``scope["analytics.route"]`` tells the route.
Passes lifespan and websockets on. Never raises, never changes the answer. Needs no
Django.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .event import class_name
from .exchange import Exchange
from .maker import CLIENT_LEFT
from .options import Options, recorder_of
from .wsgi import EXCEPTION, ROUTE, VIEW

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_HEADERS = (
    "user-agent",
    "accept-language",
    "accept",
    "x-forwarded-for",
    "referer",
    "host",
    "dnt",
    "sec-gpc",
    "sec-purpose",
    "sec-fetch-dest",
    "hx-request",
    "x-requested-with",
)
"""What an event is made of."""
FILE = ("http.response.pathsend", "http.response.zerocopysend")


class AsgiRecorder:
    """An ASGI application around another one, whose HTTP requests it records."""

    def __init__(
        self, app: Callable[[Scope, Receive, Send], Awaitable[None]], options: Options
    ) -> None:
        self._app = app
        self._maker = options.maker()
        self._ignore = options.ignore
        wanted = [*_HEADERS, *filter(None, [options.country_header.lower()])]
        self._wanted = {
            name.encode(): f"HTTP_{name.upper().replace('-', '_')}" for name in wanted
        }
        self.recorder = recorder_of(options.recorder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._ignore):
            await self._app(scope, receive, send)
            return
        exchange = Exchange(self.recorder, self._maker)
        call = _Call(exchange, scope, receive, send, self._wanted)
        try:
            await self._app(scope, call.receive, call.send)
        except BaseException as error:
            call.failed(error)
            raise
        call.end()


class _Call:
    """One request: what passes between the application and the server."""

    __slots__ = ("_left", "_receive", "_scope", "_send", "_wanted", "exchange")

    def __init__(
        self,
        exchange: Exchange,
        scope: Scope,
        receive: Receive,
        send: Send,
        wanted: dict[bytes, str],
    ) -> None:
        self.exchange = exchange
        self._scope, self._receive, self._send = scope, receive, send
        self._wanted = wanted
        self._left = False

    async def receive(self) -> dict[str, Any]:
        """What the application is given as ``receive``."""
        message = await self._receive()
        if message.get("type") == "http.disconnect":
            self._left = True
        return message

    async def send(self, message: dict[str, Any]) -> None:
        """What the application is given as ``send``."""
        # With its last part the client has its answer; the process may be killed then.
        last = message["type"] == "http.response.body" and not message.get("more_body")
        if last:
            self._try_to_note(message)
        try:
            await self._send(message)
        except OSError:
            # So says a server that the client has left.
            self._left = True
            raise
        if not last:
            self._try_to_note(message)

    def _try_to_note(self, message: dict[str, Any]) -> None:
        try:
            self._note(message)
        except Exception as error:
            self.exchange.missed(error)

    def _note(self, message: dict[str, Any]) -> None:
        kind, exchange = message["type"], self.exchange
        if kind == "http.response.start":
            headers = message.get("headers", ())
            exchange.answered(
                message["status"],
                ((n.decode("latin-1"), v.decode("latin-1")) for n, v in headers),
            )
        elif kind == "http.response.body":
            exchange.sent += len(message.get("body", b""))
            # A 500 may be followed by the exception that it was made of; and all
            # else by tasks that are none of the answer.
            if not message.get("more_body", False) and exchange.status < 500:
                self.end()
        elif kind in FILE:
            exchange.sent += message.get("count") or exchange.length

    def failed(self, error: BaseException) -> None:
        """An exception passed: that of a client that left is nobody's fault."""
        if not (self._left and isinstance(error, OSError)):
            self.exchange.failed(error)
        self.end()

    def end(self) -> None:
        scope, exchange = self._scope, self.exchange
        try:
            error = scope.get(EXCEPTION)
            if error is not None and not exchange.exception:
                exchange.exception = class_name(error)
            exchange.end(
                self._meta(),
                scope["method"],
                scope["path"],
                _target(scope),
                CLIENT_LEFT if self._left else 500,
            )
        except Exception as failure:
            exchange.missed(failure)

    def _meta(self) -> dict[str, str]:
        """The headers, as WSGI spells them and Django's ASGI joins them."""
        scope = self._scope
        client = scope.get("client")
        meta = {
            "REMOTE_ADDR": client[0] if client else "",
            "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        }
        for name, value in scope.get("headers", ()):
            if key := self._wanted.get(name):
                text = value.decode("latin-1")
                meta[key] = f"{meta[key]},{text}" if key in meta else text
        return meta


def _target(scope: Scope) -> tuple[str, str]:
    """Route and view, as the application or its framework's router left them."""
    route = scope.get(ROUTE) or getattr(scope.get("route"), "path", "") or ""
    view = scope.get(VIEW) or getattr(scope.get("route"), "name", "") or ""
    if route and not view:
        endpoint = scope.get("endpoint")
        view = getattr(endpoint, "__name__", "")
    return str(route), str(view)
