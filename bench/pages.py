"""The page that the benchmarks ask for: routed, some kilobytes of HTML."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

PAGE = "<!doctype html><html lang=en><title>Page</title>" + "".join(
    f"<p>Paragraph {number} of a page that says nothing in particular.</p>\n"
    for number in range(60)
)


def page(request: HttpRequest, section: str, number: int) -> HttpResponse:
    return HttpResponse(PAGE)


urlpatterns = [path("shop/<slug:section>/<int:number>/", page, name="page")]
