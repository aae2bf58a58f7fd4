"""A recorded ASGI application, asked in process as a server would."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from analytics.recording.asgi import AsgiRecorder
from analytics.recording.event import decode
from analytics.recording.options import Options
from tests.analytics.recording.site import end, journal_lines

HTML = [(b"content-type", b"text/html; charset=utf-8")]
HEADERS = [
    (b"host", b"shop.example.org"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64)"),
    (b"accept-language", b"de-AT,de;q=0.9"),
    (b"referer", b"https://search.example.org/?q=x"),
    (b"user_agent", b"not this one"),
]


def run(coroutine):
    """In a thread of its own: that of the tests may have a loop of Playwright's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


class Site:
    """A recorded application, asked as a server would."""

    def __init__(self, root, app, **changes):
        self.root, self.sent = root, []
        options = {"hosts": ("shop.example.org",), "ignore": ("/ignored/",)} | changes
        self.options = Options("shop", "key", f"unix://{root}/n", root, **options)
        self.app = AsgiRecorder(app, self.options)

    def scope(self, path="/", method="GET", kind="http"):
        return {
            "type": kind,
            "path": path,
            "method": method,
            "headers": list(HEADERS),
            "query_string": b"utm_source=letter",
            "client": ("192.0.2.7", 5000),
        }

    def ask(self, *words, send=None):
        async def receive():
            return {"type": "http.disconnect"}

        async def keep(message):
            self.sent.append(message)

        scope = self.scope(*words)
        run(self.app(scope, receive, send or keep))
        return b"".join(m.get("body", b"") for m in self.sent)

    def visit(self, path, method="GET", **more):
        """Of a framework: status and body, for a client that stays to the end."""
        del self.sent[:]
        asked = self.scope(path, method) | {"asgi": {"version": "3.0"}} | more

        async def serve():
            messages = iter([{"type": "http.request", "body": b""}])

            async def receive():
                return next(messages, None) or await asyncio.Event().wait()

            async def send(message):
                self.sent.append(message)

            # A server logs it; the client has its 500 by then.
            with suppress(Exception):
                await self.app(asked, receive, send)

        run(serve())
        return self.sent[0]["status"], b"".join(m.get("body", b"") for m in self.sent)

    def events(self):
        return [decode(line) for line in journal_lines(self.root)]

    def event(self):
        (event,) = self.events()
        return event


@contextmanager
def serving(root):
    """Makes sites that are recorded into ``root``, and ends them."""
    made = []

    def make(app, **changes):
        made.append(Site(root, app, **changes))
        return made[-1]

    yield make
    for site in made:
        end(site.app.recorder)
