"""The recorder of any ASGI site: Starlette, FastAPI, Quart, or a bare coroutine.

Wrap the outermost application: ``app = AsgiRecorder(app, Options.from_environ())``, or
``app.add_middleware(AsgiRecorder, options=...)``. Reads the scope when the answer has
ended; by then the router, or ``scope["analytics.route"]``, tells the route. Passes
websockets and the lifespan on, and ships what is left before the latter is over. Never
raises, never changes the answer. Needs no Django.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from .event import class_name
from .exchange import Exchange
from .maker import CLIENT_LEFT
from .options import Options, recorder_of
from .routing import routed
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
BODY = ("http.response.body", *FILE)


class AsgiRecorder:
    """An ASGI application around another one, whose HTTP requests it records."""

    def __init__(
        self, app: Callable[[Scope, Receive, Send], Awaitable[None]], options: Options
    ) -> None:
        self.app = app
        """Called so by Starlette's middleware too: what is around an application."""
        self._maker = options.maker()
        self._ignore = options.ignore
        wanted = [*_HEADERS, *filter(None, [options.country_header.lower()])]
        self._wanted = {
            name.encode(): f"HTTP_{name.upper().replace('-', '_')}" for name in wanted
        }
        self.recorder = recorder_of(options.recorder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _own_path(scope).startswith(self._ignore):
            passed = self._shipping(send) if scope["type"] == "lifespan" else send
            await self.app(scope, receive, passed)
            return
        exchange = Exchange(self.recorder, self._maker)
        call = _Call(exchange, scope, receive, send, self._wanted)
        try:
            await self.app(scope, call.receive, call.send)
        except BaseException as error:
            call.failed(error)
            raise
        call.end()

    def _shipping(self, send: Send) -> Send:
        """``send`` of a lifespan: servers such as uvicorn end by a signal after it, and
        run no atexit."""

        async def ship_and_send(message: dict[str, Any]) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                await asyncio.to_thread(self.recorder.close)
            await send(message)

        return ship_and_send


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
        last = message["type"] in BODY and self._completes(message)
        if last:
            self._try_to_note(message, last)
        try:
            await self._send(message)
        except OSError:
            # So says a server that the client has left.
            self._left = True
            raise
        if not last:
            self._try_to_note(message, last)

    def _completes(self, message: dict[str, Any]) -> bool:
        """Whether the answer ends with it, or is as long as was said."""
        if not message.get("more_body"):
            return True
        exchange = self.exchange
        return 0 < exchange.length <= exchange.sent + len(message.get("body", b""))

    def _try_to_note(self, message: dict[str, Any], last: bool) -> None:
        try:
            self._note(message)
            # What follows are tasks that are none of the answer. A 500 may be followed
            # by the exception that it was made of, if that is not at hand yet.
            if last and (self.exchange.status < 500 or self._note_cause()):
                self.end()
        except Exception as error:
            self.exchange.missed(error)

    def _note(self, message: dict[str, Any]) -> None:
        kind, exchange = message["type"], self.exchange
        if kind == "http.response.start":
            headers = message.get("headers", ())
            exchange.answered(
                # Nobody has it.
                CLIENT_LEFT if self._left else message["status"],
                ((n.decode("latin-1"), v.decode("latin-1")) for n, v in headers),
            )
        elif kind == "http.response.body":
            exchange.sent += len(message.get("body", b""))
        elif kind in FILE:
            exchange.sent += message.get("count") or exchange.length

    def _note_cause(self) -> bool:
        """Whether an exception is being made an answer of; it is named, unless the
        application raised it for its status."""
        error = sys.exc_info()[1]
        if error is not None and not hasattr(error, "status_code"):
            self.exchange.exception = class_name(error)
        return error is not None

    def failed(self, error: BaseException) -> None:
        """An exception passed: after the client left it is nobody's fault."""
        if not self._left:
            self.exchange.failed(error)
        self.end()

    def end(self) -> None:
        scope, exchange = self._scope, self.exchange
        if exchange.ended:
            return
        try:
            error = scope.get(EXCEPTION)
            if error is not None and not exchange.exception:
                exchange.exception = class_name(error)
            exchange.end(
                self._meta(),
                scope["method"],
                scope["path"],
                self._target(),
                CLIENT_LEFT if self._left else 500,
            )
        except Exception as failure:
            exchange.missed(failure)

    def _target(self) -> tuple[str, str]:
        """Route and view, as the application says them, or its framework's router."""
        scope = self._scope
        try:
            path, name = routed(scope)
        except Exception as error:
            # A router of another release: better counted by no route than not at all.
            self.exchange.doubted("route", error)
            path = name = ""
        return str(scope.get(ROUTE) or path), str(scope.get(VIEW) or name)

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


def _own_path(scope: Scope) -> str:
    """Below where the server put the application."""
    path: str = scope["path"]
    root = scope.get("root_path")
    return path.removeprefix(root) if root else path
