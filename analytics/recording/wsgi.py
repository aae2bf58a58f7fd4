"""The recorder of any WSGI site: Flask, Bottle, Pyramid, or a bare function.

Wrap the outermost application: ``app = WsgiRecorder(app, Options.from_environ())``.
Reads the environ when the answer has ended; by then the application may have said in
``analytics.route`` and ``analytics.view`` what answered, and in ``analytics.exception``
what it made a 500 of. Never raises, never changes the answer. Needs no Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .event import class_name
from .exchange import Exchange
from .maker import CLIENT_LEFT
from .options import Options, recorder_of

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
ROUTE = "analytics.route"
VIEW = "analytics.view"
EXCEPTION = "analytics.exception"
FILE_WRAPPER = "wsgi.file_wrapper"
UNANSWERED = 500
"""What servers answer for an application that ends and never said a status."""


class WsgiRecorder:
    """A WSGI application around another one, every request of which it records."""

    def __init__(self, app: Application, options: Options) -> None:
        self._app = app
        self._maker = options.maker()
        self._ignore = options.ignore
        self.recorder = recorder_of(options.recorder)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Any:
        if str(environ.get("PATH_INFO", "")).startswith(self._ignore):
            return self._app(environ, start_response)
        call = _Call(Exchange(self.recorder, self._maker), environ, start_response)
        try:
            body = self._app(environ, call.start)
        except BaseException as error:
            call.exchange.failed(error)
            call.end()
            raise
        return call.follow(body)


class _Call:
    """One request: what passes between the server and the application."""

    __slots__ = ("_environ", "_start_response", "exchange")

    def __init__(
        self, exchange: Exchange, environ: Environ, start_response: Callable[..., Any]
    ) -> None:
        self.exchange = exchange
        self._environ, self._start_response = environ, start_response

    def start(self, status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        """What the application is given as ``start_response``."""
        write = self._start_response(status, headers, *rest)
        try:
            if rest and rest[0]:
                self.exchange.exception = class_name(rest[0][1])
            self.exchange.answered(int(status[:3]), headers)
        except Exception as error:
            self.exchange.missed(error)
        return write and self._counted(write)

    def _counted(self, write: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        def count_and_write(data: bytes) -> Any:
            answer = write(data)
            self.exchange.sent += len(data)
            return answer

        return count_and_write

    def follow(self, body: Any) -> Any:
        """The body, itself if the server treats its kind in a way of its own."""
        if isinstance(body, list | tuple):
            self.exchange.sent += sum(map(len, body))
            self.end(UNANSWERED)
            return body
        if _is_file(body, self._environ.get(FILE_WRAPPER)):
            self.exchange.sent += self.exchange.length
            return self._follow_file(body)
        return (_SizedBody if hasattr(body, "__len__") else _Body)(body, self)

    def _follow_file(self, body: Any) -> Any:
        """A server knows its own wrapper, and hands the file to the kernel."""
        close = getattr(body, "close", None)

        def close_and_record() -> None:
            try:
                if close is not None:
                    close()
            finally:
                self.end()

        try:
            body.close = close_and_record
        except (AttributeError, TypeError):
            self.end()
        return body

    def end(self, unanswered: int = CLIENT_LEFT) -> None:
        environ, exchange = self._environ, self.exchange
        try:
            error = environ.get(EXCEPTION)
            if error is not None and not exchange.exception:
                exchange.exception = _said(error)
            path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
            exchange.end(
                environ,
                environ.get("REQUEST_METHOD", ""),
                path.encode("latin-1", "replace").decode("utf-8", "replace"),
                (environ.get(ROUTE) or "", environ.get(VIEW) or ""),
                unanswered,
            )
        except Exception as failure:
            exchange.missed(failure)


class _Body:
    """The body of an answer on its way, counted."""

    def __init__(self, body: Iterable[bytes], call: _Call) -> None:
        self._body, self._call = body, call
        self._chunks: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        exchange = self._call.exchange
        try:
            if self._chunks is None:
                self._chunks = iter(self._body)
            chunk = next(self._chunks)
        except StopIteration:
            self._call.end(UNANSWERED)
            raise
        except BaseException as error:
            exchange.failed(error)
            raise
        exchange.sent += len(chunk)
        if exchange.sent >= exchange.length > 0:
            # With this chunk the client has its answer; the process may be killed then,
            # before it is asked for another one.
            self._call.end()
        return chunk

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._call.end()


class _SizedBody(_Body):
    """One whose number of chunks is known: of one, servers know the length."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


def _is_file(body: Any, wrapper: Any) -> bool:
    return isinstance(wrapper, type) and isinstance(body, wrapper)


def _said(error: Any) -> str:
    return class_name(error) if isinstance(error, BaseException) else str(error)
