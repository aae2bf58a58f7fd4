"""The routes of FastAPI and Starlette: patterns as they are declared, prefixes too."""

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router

from analytics.recording import routing
from analytics.recording.asgi import AsgiRecorder
from tests.analytics.recording.asgi_site import serving


@pytest.fixture
def serve(tmp_path):
    with serving(tmp_path) as make:
        yield make


def hello(request):
    return PlainTextResponse("hello")


def other(request):
    return PlainTextResponse("other")


class Basket(HTTPEndpoint):
    """A view by a class."""

    async def get(self, request):
        return PlainTextResponse("basket")


def shop(static) -> FastAPI:
    """Routers in routers, and applications behind mounts."""
    items = APIRouter(prefix="/items")

    @items.get("/{item}")
    def read_item(item: int):
        return {"item": item}

    @items.put("/{item}", name="change")
    def change_item(item: int):
        return {"item": item}

    version = APIRouter()
    version.include_router(items, prefix="/shop")
    version.add_route("/plain/{word}", hello)
    version.mount("/files", StaticFiles(directory=static), name="files")
    version.mount("/inner", inner())

    app = FastAPI()
    app.include_router(version, prefix="/v1")
    app.include_router(version, prefix="/v2")
    app.mount("/of/{town}/", inner())
    app.mount("/starlette", starlette())
    app.mount("/wrapped", GZipMiddleware(starlette()))
    app.mount("/assets", StaticFiles(directory=static))

    @app.get("/")
    async def home():
        return {}

    return app


def inner() -> FastAPI:
    app = FastAPI()
    router = APIRouter()

    @router.get("/{pk}")
    def of_inner(pk: int):
        return {}

    app.include_router(router, prefix="/things")
    return app


def starlette() -> Starlette:
    words = Router([Route("/{word}", other), Route("/", hello, name="all words")])
    return Starlette(
        routes=[
            Route("/", hello),
            Route("/p/{pk:int}", hello, name="product"),
            Route("/same/{pk:int}", hello, name="same"),
            Route("/basket", Basket),
            Route("/post", hello, methods=["POST"]),
            Mount("/words", words, name="words"),
            Mount("/by/{who}", routes=[Mount("/{day:int}", words)]),
            Mount("/zipped", words, middleware=[Middleware(GZipMiddleware)]),
            Mount("/opaque", GZipMiddleware(words)),
            Mount("/inner", inner()),
        ]
    )


@pytest.mark.parametrize(
    ("path", "status", "route", "view"),
    [
        ("/", 200, "/", "home"),
        ("/v1/shop/items/7", 200, "/v1/shop/items/{item}", "read_item"),
        ("/v2/shop/items/7", 200, "/v2/shop/items/{item}", "read_item"),
        ("/v1/shop/items/x", 422, "/v1/shop/items/{item}", "read_item"),
        ("/v1/plain/x", 200, "/v1/plain/{word}", "hello"),
        ("/v2/files/a.txt", 200, "/v2/files/{path:path}", "files"),
        ("/v1/inner/things/7", 200, "/v1/inner/things/{pk}", "of_inner"),
        ("/of/linz/things/7", 200, "/of/{town}/things/{pk}", "of_inner"),
        ("/of/linz/openapi.json", 200, "/of/{town}/openapi.json", "openapi"),
        ("/starlette/p/7", 200, "/starlette/p/{pk:int}", "product"),
        ("/starlette/by/ada/7/x", 200, "/starlette/by/{who}/{day:int}/{word}", "other"),
        ("/wrapped/p/7", 200, "/wrapped/p/{pk:int}", "product"),
        ("/assets/a.txt", 200, "/assets/{path:path}", "StaticFiles"),
        ("/assets/none", 404, "/assets/{path:path}", "StaticFiles"),
        ("/docs", 200, "/docs", "swagger_ui_html"),
        ("/openapi.json", 200, "/openapi.json", "openapi"),
        ("/docs/", 307, "", ""),
        ("/none", 404, "", ""),
        ("/starlette/none", 404, "", ""),
        ("/of/linz/none", 404, "", ""),
        ("/v1/none", 404, "", ""),
    ],
)
def test_routes_of_fastapi(serve, tmp_path, path, status, route, view):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.txt").write_text("a")
    site = serve(shop(tmp_path / "static"))
    assert site.visit(path)[0] == status
    event = site.event()
    assert (event.route, event.view, event.status) == (route, view, status)


@pytest.mark.parametrize(
    ("method", "status", "view"),
    [("PUT", 200, "change"), ("DELETE", 405, "read_item")],
)
def test_methods_of_one_path_of_fastapi(serve, tmp_path, method, status, view):
    site = serve(shop(tmp_path))
    assert site.visit("/v1/shop/items/7", method)[0] == status
    event = site.event()
    assert (event.route, event.view) == ("/v1/shop/items/{item}", view)
    assert (event.method, event.status) == (method, status)


@pytest.mark.parametrize(
    ("path", "status", "route", "view"),
    [
        ("/", 200, "/", "hello"),
        ("/p/7", 200, "/p/{pk:int}", "product"),
        ("/same/7", 200, "/same/{pk:int}", "same"),
        ("/basket", 200, "/basket", "Basket"),
        ("/post", 405, "/post", "hello"),
        ("/words/", 200, "/words/", "all words"),
        ("/words/lamp", 200, "/words/{word}", "other"),
        ("/by/ada/7/lamp", 200, "/by/{who}/{day:int}/{word}", "other"),
        ("/zipped/lamp", 200, "/zipped/{word}", "other"),
        ("/opaque/lamp", 200, "/opaque/{word}", "other"),
        ("/opaque/a/b", 404, "", ""),
        ("/inner/things/7", 200, "/inner/things/{pk}", "of_inner"),
        ("/inner/docs", 200, "/inner/docs", "swagger_ui_html"),
        ("/words", 307, "", ""),
        ("/none", 404, "", ""),
        ("/words/a/b", 404, "", ""),
        ("/by/ada/x/lamp", 404, "", ""),
        ("/inner/none", 404, "", ""),
    ],
)
def test_routes_of_starlette(serve, path, status, route, view):
    site = serve(starlette())
    assert site.visit(path)[0] == status
    event = site.event()
    assert (event.route, event.view, event.status) == (route, view, status)


def test_routes_of_hosts(serve):
    api = Router([Route("/api/{pk}", hello, name="api")])
    routes = [Host("api.example.org", api), Host("shop.example.org", starlette())]
    site = serve(Starlette(routes=routes))
    for path in ("/p/7", "/words/lamp", "/none"):
        site.visit(path)
    site.visit("/api/7", headers=[(b"host", b"api.example.org")])
    assert [event.route for event in site.events()] == [
        "/p/{pk:int}",
        "/words/{word}",
        "",
        "/api/{pk}",
    ]


@pytest.mark.parametrize("root", [Mount("", starlette()), Mount("/", starlette())])
def test_a_mount_at_the_root(serve, root):
    site = serve(Starlette(routes=[Route("/first", other), root]))
    for path in ("/p/7", "/first", "/words/lamp", "/none"):
        site.visit(path)
    expected = ["/p/{pk:int}", "/first", "/words/{word}", ""]
    assert [event.route for event in site.events()] == expected


def test_files_at_the_root(serve, tmp_path):
    (tmp_path / "index.html").write_text("<p>hello")
    app = FastAPI()
    app.mount("/", StaticFiles(directory=tmp_path, html=True))
    site = serve(app)
    assert site.visit("/") == (200, b"<p>hello")
    assert (site.event().route, site.event().page) == ("/{path:path}", True)


@pytest.mark.parametrize("make", [starlette, FastAPI])
def test_below_a_root_path(serve, make):
    """The path is what a visitor sees; routes and ignored paths are the site's own."""
    app = make()
    app.add_route("/own/{word}", hello)
    app.add_route("/ignored/{word}", hello)
    app.mount("/mounted", starlette())
    site = serve(app, record_paths=True)
    for path in ("/own/x", "/mounted/p/7", "/ignored/x"):
        assert site.visit(f"/root{path}", root_path="/root")[0] == 200
    assert [(event.route, event.path) for event in site.events()] == [
        ("/own/{word}", "/root/own/x"),
        ("/mounted/p/{pk:int}", "/root/mounted/p/7"),
    ]


@pytest.mark.parametrize("make", [starlette, FastAPI])
def test_a_recorder_among_the_middleware(serve, make):
    options = serve(None).options
    app = make()
    app.add_route("/own/{word}", hello)
    app.mount("/mounted", starlette())
    app.add_middleware(AsgiRecorder, options=options)
    site = serve(None)
    site.app, inside = app, site.app
    for path in ("/own/x", "/mounted/p/7", "/none"):
        site.visit(path)
    site.app = inside
    assert [(event.route, event.status) for event in site.events()] == [
        ("/own/{word}", 200),
        ("/mounted/p/{pk:int}", 200),
        ("", 404),
    ]


def test_a_recorder_of_a_mounted_application_alone(serve):
    site = serve(starlette())
    outer = Starlette(routes=[Mount("/of/{who}", site.app), Route("/p", other)])
    inside, site.app = site.app, outer
    for path in ("/of/ada/p/7", "/of/ada/words/x", "/p", "/of/ada/none"):
        site.visit(path)
    site.app = inside
    expected = ["/of/{who}/p/{pk:int}", "/of/{who}/words/{word}", ""]
    assert [event.route for event in site.events()] == expected


@pytest.mark.parametrize("limit", [0, 1])
def test_patterns_of_mounts_are_remembered(serve, monkeypatch, limit):
    """Some of them: their paths are what visitors ask for."""
    monkeypatch.setattr(routing, "PREFIXES", limit)
    monkeypatch.setattr(routing, "_prefixes", {})
    site = serve(Starlette(routes=[Mount("/of/{who}", starlette())]))
    for path in ("/of/ada/p/7", "/of/ada/same/8", "/of/bob/p/9", "/of/ada/none"):
        site.visit(path)
    assert [event.route for event in site.events()] == [
        "/of/{who}/p/{pk:int}",
        "/of/{who}/same/{pk:int}",
        "/of/{who}/p/{pk:int}",
        "",
    ]
    assert [prefix for _, prefix in routing._prefixes.values()] == ["/of/{who}"][:limit]


def test_what_is_mounted_need_not_have_routes(serve):
    async def bare(scope, receive, send):
        await PlainTextResponse("hello")(scope, receive, send)

    site = serve(Starlette(routes=[Mount("/of/{who}", bare, name="bare")]))
    site.visit("/of/ada/x")
    assert (site.event().route, site.event().view) == ("/of/{who}/{path:path}", "bare")


def test_a_router_that_is_not_understood_costs_the_route_alone(serve):
    class Odd(Route):
        @property
        def routes(self):
            raise NotImplementedError

    async def app(scope, receive, send):
        scope["router"], scope["endpoint"] = odd, app
        await PlainTextResponse("hello")(scope, receive, send)

    odd = Odd("/", hello)
    site = serve(app)
    assert site.visit("/") == (200, b"hello")
    assert (site.event().route, site.event().status) == ("", 200)
    assert site.app.recorder.counters["route: NotImplementedError"] == 1


def test_what_the_application_says_goes_first(serve):
    async def says(request):
        request.scope["analytics.route"] = "/own/"
        return PlainTextResponse("hello")

    site = serve(Starlette(routes=[Route("/p/{pk}", says, name="product")]))
    site.visit("/p/7")
    assert (site.event().route, site.event().view) == ("/own/", "product")
