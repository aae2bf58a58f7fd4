"""The address space of the tested site: one view for each way a request can end."""

import time
from collections.abc import Iterator

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET


def ok(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("<h1>A page</h1>")


def not_modified(request: HttpRequest) -> HttpResponse:
    return HttpResponseNotModified()


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


def redirect(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/ok")


def broken(request: HttpRequest) -> HttpResponse:
    raise ArithmeticError("This view is broken.")


def stream(request: HttpRequest) -> HttpResponseBase:
    return StreamingHttpResponse(iter([b"one ", b"after ", b"another"]))


def file(request: HttpRequest) -> HttpResponseBase:
    return FileResponse(open(__file__, "rb"), filename="urls.txt")


def endless(request: HttpRequest) -> HttpResponseBase:
    def chunks() -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536

    return StreamingHttpResponse(chunks())


def hang(request: HttpRequest) -> HttpResponse:
    time.sleep(60)
    return HttpResponse("too late")


def slow(request: HttpRequest) -> HttpResponse:
    time.sleep(0.02)
    return HttpResponse("slow")


urlpatterns = [
    path("ok", csrf_exempt(ok)),
    path("items/<int:pk>/", ok),
    path("not-modified", not_modified),
    path("missing", missing),
    path("get-only", csrf_exempt(require_GET(ok))),
    path("redirect", redirect),
    path("broken", broken),
    path("stream", stream),
    path("file", file),
    path("slow", slow),
    path("endless", endless),
    path("hang", hang),
    # Not recorded: by it the tests know that a server is up.
    path("healthz", ok),
]
