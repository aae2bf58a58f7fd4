"""A FastAPI site under uvicorn beside a tested site, and what to ask it.

Its routers, mounts and answers are of every kind that the recorder has to tell apart.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, HTMLResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from analytics.recording.asgi import AsgiRecorder
from analytics.recording.options import Options
from tests.acceptance.client import NOT_FOUND, Ask
from tests.acceptance.site import Site, Web

ITEM = "/v1/items/{item}"
FASTAPI_MIX = (
    Ask("/page", "/page", 200),
    Ask("/v1/items/7", ITEM, 200),
    Ask("/v1/items/x", ITEM, 422),
    Ask("/v1/items/7", ITEM, 405, method="DELETE"),
    Ask("/v1/broken", "/v1/broken", 500, exception="ArithmeticError"),
    Ask("/v1/stream", "/v1/stream", 200),
    Ask("/v1/file", "/v1/file", 200),
    Ask("/v1/slow", "/v1/slow", 200),
    Ask("/old/things/7", "/old/things/{pk:int}", 200),
    Ask("/old/things/7", "/old/things/{pk:int}", 200, method="HEAD"),
    Ask("/old/none", NOT_FOUND, 404),
    Ask("/none", NOT_FOUND, 404),
)
v1 = APIRouter(prefix="/v1")


@v1.get("/items/{item}")
def read_item(item: int):
    return {"item": item}


@v1.get("/broken")
async def broken():
    raise ArithmeticError


@v1.get("/stream")
async def stream():
    return StreamingResponse(iter(["one", "two", "three"]))


@v1.get("/file")
async def file():
    return FileResponse(Path(__file__))


@v1.get("/slow")
async def slow():
    await asyncio.sleep(0.02)
    return {}


async def thing(request):
    return PlainTextResponse("thing")


def make_app() -> AsgiRecorder:
    app = FastAPI()
    app.include_router(v1)
    app.mount("/old", Starlette(routes=[Route("/things/{pk:int}", thing)]))

    @app.get("/page", response_class=HTMLResponse)
    async def page():
        return "<p>hello"

    @app.get("/healthz")
    async def healthz():
        return {}

    return AsgiRecorder(app, Options.from_environ())


def start_fastapi(site: Site) -> Web:
    """It shares the machine with the site: its name, its Redis, its folder."""
    address = site.folder / f"web-{len(site.processes)}.sock"
    words = ["uvicorn", "--factory", "tests.acceptance.fastapi_site:make_app"]
    words += ["--uds", str(address), "--no-access-log"]
    env = {
        "ANALYTICS_KEY": site.env["SECRET_KEY"],
        "ANALYTICS_REDIS_URL": site.valkey.url,
    }
    return Web(site.start("fastapi", words, **env), address, workers=0)
