"""Follows a streamed response to its end, so that it is recorded when that comes.

Counts the bytes on their way and watches the last one, and ``close`` for what has no
last one: of a client that left, of a file. Never changes what is sent, never
touches a file's iterator. Needs no Django: it asks the response for what Django's have.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from .event import class_name


def follow_stream(response: Any, record: Callable[[int, str], None]) -> None:
    """Call ``record`` once, at the end of the stream or when the server closes it.

    It gets the bytes sent, and the exception that ended the stream before its end. The
    end is recorded before the server can tell the client of it: the process may be
    killed before it closes. A file's iterator is left alone, or the server could not
    use sendfile.
    """
    sent = _Sent(record, int(response.get("Content-Length") or 0))
    if getattr(response, "file_to_stream", None) is not None:
        sent.bytes = sent.length
    elif response.is_async:
        response.streaming_content = _acounted(response.streaming_content, sent)
    else:
        response.streaming_content = _counted(response.streaming_content, sent)
    close = response.close

    def close_and_record() -> None:
        try:
            close()
        finally:
            sent.end()

    response.close = close_and_record


class _Sent:
    """The bytes of a stream so far, recorded at the first of its ends."""

    __slots__ = ("_record", "bytes", "length")

    def __init__(self, record: Callable[[int, str], None], length: int) -> None:
        self._record: Callable[[int, str], None] | None = record
        self.bytes = 0
        self.length = length
        """As the response tells it; 0 if it does not."""

    def pass_on(self, chunk: bytes) -> bytes:
        """Count a chunk; with the last one of a known length the client has all."""
        self.bytes += len(chunk)
        if self.bytes >= self.length > 0:
            self.end()
        return chunk

    def end(self, error: Exception | None = None) -> None:
        record, self._record = self._record, None
        if record is not None:
            record(self.bytes, class_name(error) if error else "")


def _counted(chunks: Iterator[bytes], sent: _Sent) -> Iterator[bytes]:
    try:
        for chunk in chunks:
            yield sent.pass_on(chunk)
    except Exception as error:
        sent.end(error)
        raise
    sent.end()


async def _acounted(chunks: AsyncIterator[bytes], sent: _Sent) -> AsyncIterator[bytes]:
    """Ends itself where it breaks off: Django's ASGI handler closes no such response.

    The synchronous one does not at a GeneratorExit: the garbage collector may throw
    that in at a time when this thread holds the journal's lock.
    """
    try:
        async for chunk in chunks:
            yield sent.pass_on(chunk)
    except Exception as error:
        sent.end(error)
        raise
    except GeneratorExit:
        sent.end()
        raise
    sent.end()
