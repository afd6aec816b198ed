"""The console as an ASGI application: its pages, and a word of patience until they are loaded."""

import asyncio
import secrets
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from local.console.areas import AREAS, Area
from local.console.connection import Connection

if TYPE_CHECKING:
    from fastapi import FastAPI

STATIC = Path(__file__).resolve().parent / "static"
RECONNECT_SECONDS = 10.0
"""A browser that was away this long gets a new page; until then it continues where it was."""

_OWN_PATHS = ("/_nicegui", "/_console", "/favicon.ico")
_AREA_PATHS = {area.path for area in AREAS}
_STARTING = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>PyTake</title>
<style>:root { color-scheme: light dark; } body { font: 18px/1.5 system-ui, sans-serif; margin: 20vh auto; max-width: 30rem; padding: 0 1rem; }</style>
<h1>PyTake</h1><p role="status">Starting. This page goes on by itself. · Começando. Esta página continua sozinha.</p></html>
"""  # noqa: E501


class Console:
    """The console of one system. There is one in a process: its library keeps its pages in a single application."""

    def __init__(self, folder: Path) -> None:
        """Keep the browsers' settings in `folder`."""
        self._folder = folder
        self._app: ASGIApp | None = None
        self._ends = AsyncExitStack()

    async def start(self, connection: Connection) -> None:
        """Load the pages; loading takes a second or two, and everything else goes on meanwhile."""
        app = await asyncio.to_thread(_load, connection, self._folder)
        await self._ends.enter_async_context(app.router.lifespan_context(app))
        self._app = app

    async def stop(self) -> None:
        """End the pages. Their users see that the connection is lost."""
        self._app = None
        await self._ends.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of a browser."""
        if scope["type"] == "websocket" or scope["path"].startswith("/_nicegui"):
            origin = HTTPConnection(scope).headers.get("origin")
            if origin is not None and origin.partition("://")[2] != HTTPConnection(scope).headers.get("host"):
                # A page from elsewhere may open a web socket to this machine; browsers say where it is from.
                await PlainTextResponse("This is for the console's own pages", 403)(scope, receive, send)
                return
        if scope["type"] == "http" and not scope["path"].startswith(_OWN_PATHS) and scope["path"] not in _AREA_PATHS:
            await PlainTextResponse("There is nothing at this address", 404)(scope, receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await HTMLResponse(_STARTING, 503, {"Retry-After": "1"})(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1013})


def _load(connection: Connection, folder: Path) -> "FastAPI":
    """Import the library and the pages, and return the application that serves them."""
    from fastapi import FastAPI
    from nicegui import app as pages
    from nicegui import ui
    from nicegui.storage import Storage

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    Storage.path = folder
    pages.add_static_files("/_console", STATIC)
    for sheet in ("console.css", "build.css", "measure.css"):
        ui.add_css(STATIC / sheet, shared=True)
    for area in AREAS:
        _serve(ui, area, connection)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    ui.run_with(
        app,
        title="PyTake Console",
        favicon=STATIC / "favicon.svg",
        dark=None,
        tailwind=False,
        reconnect_timeout=RECONNECT_SECONDS,
        show_welcome_message=False,
        storage_secret=_secret(folder),
        session_middleware_kwargs={"session_cookie": "pytake_console", "same_site": "lax"},
    )
    return app


def _serve(ui: Any, area: Area, connection: Connection) -> None:
    from fastapi import Request

    from local.console import frame
    from local.console.session import Session
    from local.console.visit import Visit
    from local.console.words import Words, preferred

    show = import_module(area.module).show

    async def page(request: Request) -> None:
        language = preferred(request.headers.get("accept-language", ""))
        session = Session(connection.default_identity, language)
        visit = Visit(connection, session, Words(session.language), connection.api(session.identity))
        content = frame.draw(visit, area)
        with content:
            waiting = frame.loading(visit)
        await ui.context.client.connected()
        if content.is_deleted:
            return  # the browser left without opening a socket
        with content:
            waiting.delete()
            async with frame.told(visit, content):
                await show(visit)

    ui.page(area.path)(page)


def _secret(folder: Path) -> str:
    """Return the key that signs the cookies, made at the first start."""
    path = folder / "cookie-key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text()
