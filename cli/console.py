"""`pytake console`: the console for a deployed stack, served on this machine."""

import asyncio
import contextlib
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import httpx
import typer

from cli.api_client import TokenFile
from cli.ending import fail
from local.rest_api import is_local

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from local.console.connection import Connection
    from local.console.site import Console

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / ".pytake" / "console"
REFRESH_SECONDS = 5.0


def console(
    api: Annotated[
        str, typer.Option("--api", envvar="PYTAKE_URL", metavar="URL", help="The stack's ApiUrl.", show_default=False)
    ],
    token_file: TokenFile = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port of the console, on 127.0.0.1 only.")] = 8001,
    stack: Annotated[
        str | None,
        typer.Option(help="The stack's name: adds its queues and SQL on its lake, with the current AWS credentials."),
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="The stack's region; default: that of the AWS configuration.")
    ] = None,
) -> None:
    """Open the web console for a deployed stack.

    It calls the REST API with a token of the stack's OIDC issuer. The token file is read for every request, so that the
    console notices a renewed token.
    """
    if token_file is None:
        local_ = " A local cloud serves its console at its own address." if is_local(api) else ""
        fail(f"{api} requires a token of the stack's OIDC issuer: give --token-file.{local_}")
    if not httpx.URL(api).host:
        fail(
            f"{api!r} is not a URL. Give the stack's output ApiUrl, such as https://abc123.execute-api.us-east-1.amazonaws.com"
        )
    raise typer.Exit(asyncio.run(_serve(api, token_file, port, stack, region)))


async def _serve(api: str, token_file: Path, port: int, stack: str | None, region: str | None) -> int:
    from local.console.site import Console
    from local.gateway import create_server

    with contextlib.closing(_listen(port)) as listener:
        site = Console(DEFAULT_FOLDER)
        await site.start(connection_to(api, token_file, stack, region))
        server = create_server(_single_process(site))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
        typer.echo(f"The console of {api}. Press Ctrl-C to stop.")
        typer.echo(f"ready http://127.0.0.1:{port}")
        try:
            await server.serve(sockets=[listener])
        finally:
            await site.stop()
    return 0


def connection_to(api: str, token_file: Path, stack: str | None, region: str | None) -> "Connection":
    """Return the console's connection to a stack: its REST API and, if `stack` is given, its queues and lake."""
    from local.console.api import api_client
    from local.console.connection import Connection
    from local.console.lake_desk import lake_of
    from local.console.tokens import FileToken, Identity
    from local.dead_letters import dead_letter_queues

    url = api.rstrip("/").removesuffix("/api/v1")
    options = {"region_name": region} if region else {}
    facts = [("REST API", url), ("Interactive documentation", f"{url}/api/v1/docs"), ("Token", str(token_file))]
    facts += [("Stack", stack)] if stack else []
    return Connection(
        url=url,
        client=api_client(url),
        tokens=FileToken(token_file),
        default_identity=Identity("demo", "admin"),
        has_phones=False,
        refresh_seconds=REFRESH_SECONDS,
        dead_letters=(lambda: dead_letter_queues(stack, options)) if stack else None,
        lake=(lambda: lake_of(stack, options)) if stack else None,
        facts=lambda: facts,
    )


def _single_process(site: "Console") -> "Starlette":
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from local.gateway import OWN_HOSTS_ONLY

    return Starlette(routes=[Mount("/", app=site)], middleware=OWN_HOSTS_ONLY)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        fail(
            f"Port {port} is in use. Stop the program that uses it, or choose another port: pytake console --port {port + 1}"
        )
    listener.listen(128)
    return listener
